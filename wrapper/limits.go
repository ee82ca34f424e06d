package wrapper

// limits are how long the wrapper waits, in milliseconds.
type limits struct {
	// connect is for a place in the queue of a listening socket. The queue
	// is long; it is full only where nobody accepts.
	connect int
	// first is for the first frame after Call. The server sends a heartbeat
	// before it does anything that can take time, so that only one which is
	// stopped or swaps is later than this.
	first int
	// gap is between two frames after the first: heartbeats come every
	// second while the server works.
	gap int
	// start is for a server that has just been started: 25 times what it
	// needs to answer on a 10 GiB store.
	start int
	// retry is between two attempts to reach a starting server.
	retry int
	// stalled is how long a server that was waited for in vain is not asked
	// again.
	stalled int
	// slot is for a slot to run a compiler in, as long as none changes
	// hands; then a stopped build has them all, or something that outlives
	// its compiler, and the limit is given up.
	slot int
	// token is for make's token to be given back by another job.
	token int
	// vacancy is between two looks for a free slot.
	vacancy int
	// drain is for output of processes that outlive the compiler. A shell
	// would not wait for them at all; the pipe holds what was written.
	drain int
	// signal is what a compiler in the terminal's foreground group has to
	// die of a signal that the terminal sent to the whole group, before it
	// is sent again.
	signal int
}

func defaultLimits() limits {
	return limits{
		connect: 200, first: 3000, gap: 5000, start: 1500, retry: 3,
		stalled: 10_000, slot: 600_000, token: 600_000, vacancy: 2, drain: 50, signal: 200,
	}
}
