package strategy

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Mode is the setting "strategy".
type Mode string

// The modes; see the package comment.
const (
	ModeLocal  Mode = "local"
	ModeRemote Mode = "remote"
	ModeRace   Mode = "race"
	ModeAuto   Mode = "auto"
)

// A Leg is a place where a task runs.
type Leg uint8

// The legs.
const (
	Nowhere Leg = iota
	Local
	Remote
)

// String returns the leg's name.
func (l Leg) String() string {
	switch l {
	case Local:
		return "local"
	case Remote:
		return "remote"
	}
	return "nowhere"
}

// ErrLost is the cause with which the local leg's context ends when the remote
// leg has given the answer.
var ErrLost = errors.New("another leg was first")

// A Task is one miss.
type Task struct {
	Mode Mode
	Kind Kind
	// Remotable says that a worker may run it: the remote is there, the
	// compile's class is proven, the worker has what it needs.
	Remotable bool
	// Stoppable says that the wrapper can keep back what a local leg says
	// and end its process tree. Without it no task has two legs at once.
	Stoppable bool
}

// A Kind is what durations are learnt by.
type Kind struct {
	Family     string
	SourceSize int64 // bytes
}

// A Cost is what a local leg took.
type Cost struct {
	Wall   time.Duration // of the compiler alone; 0 where it is not known
	MaxRSS int64         // bytes; 0 where it is not known
}

// Legs are the two ways to an answer. Run calls each at most once, Local on the
// goroutine of its own caller (which owns the conversation with the wrapper)
// and Remote on any.
type Legs struct {
	// Local has the wrapper run the compiler. Any end of the compiler is an
	// answer, that by a failing status included; an error means that there
	// is nobody left to answer to.
	//
	// With stoppable set ctx may end with the cause ErrLost, at any time. The
	// leg then has the wrapper kill the process tree, waits until it says that
	// nothing of it is left, and returns ErrLost; or, where the compiler had
	// ended before, nil: its answer is the one that counts then.
	Local func(ctx context.Context, stoppable bool) (Cost, error)
	// Remote brings a result here without putting anything in its place. An
	// error, a failing status of the compiler included, leaves the answer to
	// the local leg. It must return soon after ctx ends.
	Remote func(ctx context.Context) error
}

// An Outcome says how a task was answered.
type Outcome struct {
	// Leg is the one whose answer counts.
	Leg Leg
	// Trouble is why the remote leg had no answer, nil where it had one, was
	// not tried, or came too late.
	Trouble error
	// Late is set where the local leg joined a remote one that took long.
	Late bool
	// Waited is how long the task waited for its first slot.
	Waited time.Duration
}

// Options are what a Chooser is made of.
type Options struct {
	LocalJobs, RemoteJobs int // slots, at least 1 each
	// FreeMemory returns how many bytes compilers may still take without
	// harm; known is false where the system does not say. Nil disables the
	// rule. It is called under a lock.
	FreeMemory func() (bytes int64, known bool)
}

// A Chooser decides and runs. It is safe for concurrent use.
type Chooser struct {
	free func() (int64, bool)

	mu            sync.Mutex
	slots         [Remote + 1]int // by leg
	running       [Remote + 1]map[*grant]struct{}
	waiters       []*waiter // in the order they came
	retrying      bool      // a retry for memory is scheduled
	local, remote durations
	memory        peaks
}

// New returns a Chooser made of o.
func New(o Options) *Chooser {
	c := &Chooser{free: o.FreeMemory, local: durations{}, remote: durations{}, memory: peaks{}}
	for leg := range c.running {
		c.running[leg] = map[*grant]struct{}{}
	}
	c.Resize(o.LocalJobs, o.RemoteJobs)
	return c
}

// Resize changes the numbers of slots. Legs under way are not touched.
func (c *Chooser) Resize(localJobs, remoteJobs int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slots[Local], c.slots[Remote] = max(1, localJobs), max(1, remoteJobs)
	c.dispatch()
}

// A Load is what a Chooser is at.
type Load struct{ Local, Remote, Waiting int }

// Load returns how many legs run and how many tasks wait for a slot.
func (c *Chooser) Load() Load {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Load{Local: len(c.running[Local]), Remote: len(c.running[Remote]), Waiting: len(c.waiters)}
}

// Run answers a task by its legs and returns when both have ended. The error is
// ctx's cause, or that of the local leg.
func (c *Chooser) Run(ctx context.Context, t *Task, legs Legs) (Outcome, error) {
	x := &contest{chooser: c, task: t, legs: legs, begun: time.Now()}
	switch {
	case !t.Remotable || t.Mode == ModeLocal:
		return x.localOnly(ctx)
	case t.Mode == ModeRace && t.Stoppable:
		return x.both(ctx, nil, atOnce)
	case t.Mode == ModeAuto:
		return x.auto(ctx)
	}
	return x.both(ctx, nil, onFailure)
}
