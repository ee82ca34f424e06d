// Package wire is what the wrapper and the local server say to each other: the
// frames, their messages and the version rule. It knows nothing of sockets or
// compilers. Both sides use it, so it links the standard library only, and of
// that as little as possible.
//
//	stream  = { frame } ;
//	frame   = length type payload ;
//	length  = u32 ;               (* of type and payload *)
//	type    = u8 ;                (* Type *)
//	payload = { field } ;         (* in the order of the message's struct *)
//	field   = u8 | u32 | u64 | string | strings | … ;
//	string  = u32 bytes ;
//	strings = u32 { string } ;
//
// Integers are little endian. A reader never allocates more than the length it
// has been announced, nor accepts one above MaxFrame; a payload with bytes left
// over or missing is ErrMalformed.
//
// The conversation of one compile, wrapper (W) and server (S):
//
//	W Call                       W Notice (one way: nothing follows)
//	S { Heartbeat | Away }
//	  S StepAside                            W runs the compiler by exec
//	| S Run      W Ran   S { Heartbeat }     W runs it as a child
//	  S Prepare? S Done          W Committed
//	| S Run      S Cancel? W Ran …           a race: after a Cancelled one what
//	                                         follows is as without Run, but
//	                                         no second Run
//	| S Prepare  S Done          W Committed a hit: nothing is run
//
// Prepare announces every temp file before the first one is created, so that
// the wrapper can remove them whatever becomes of the server. A connection that
// breaks, or a deadline that passes, before Done makes the wrapper remove what
// was announced and, unless it has run the compiler already, run it unchanged.
//
// Version rule: the first field of Call, Notice and Admin is the frame version.
// A server answers an older version it still knows in that version, and a newer
// one with StepAside "version" before it drains, so that the wrapper's own
// server can take its place.
package wire
