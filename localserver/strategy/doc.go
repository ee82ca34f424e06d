// Package strategy decides where a miss runs: on this machine, on a worker, or
// on both until one has an answer. It holds the slots of both, learns how long
// compiles of a kind take on each and how much memory they need here, and runs
// the legs that the caller gives it. What a leg does (frames, Actions, stores)
// it does not know; its only user is localserver/pipeline.
//
// # Modes
//
//	local   the local leg, in a local slot
//	remote  the remote leg; the local one where that fails
//	race    both at once; the first answer ends the other leg
//	auto    remote or local by free slots and by what is expected of each. Where
//	        a remote leg takes twice what was expected, the local leg joins in
//	        as soon as nobody else needs the local slot
//
// A task that may not run remotely is local in every mode. Whatever the mode,
// no more local legs run at once than there are local slots, those that take
// over from a remote that died among them.
//
// # The end of a leg
//
// Run returns when both legs have ended. A local leg has ended when the whole
// process tree of the compiler is dead and reaped: drivers delete their outputs
// when they are told to stop, and what they leave running goes on writing to
// them. Only then may anything be put in its place; see Legs.
//
// # What is expected
//
// Durations are learnt by family and by the source's size in steps of four, with
// the family as a whole standing in for what is not known. A remote that stands
// still gives no new durations; it is noticed by the age of the legs under way,
// which in a steady flow is half of what they will take.
//
// Time is package time's, so that testing/synctest can hold it.
package strategy
