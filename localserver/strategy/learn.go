package strategy

import (
	"math/bits"
	"time"
)

// A class groups compiles of which the same is expected.
type class struct {
	family string
	size   int // the source's, in powers of 4; anySize for the family as a whole
}

const anySize = -1

func (k Kind) class() class  { return class{k.Family, bits.Len64(uint64(max(0, k.SourceSize))) / 2} }
func (k Kind) family() class { return class{k.Family, anySize} }

// A duration is what compiles of a class have taken of late.
type duration struct {
	mean  float64 // nanoseconds
	count int
	at    time.Time // of the last one
}

const (
	// memorable is how long a duration counts: a remote that was slow is
	// tried again after that.
	memorable = 10 * time.Minute
	// window is how many of the last durations make the mean.
	window = 8
)

// durations are the learnt ones of one leg.
type durations map[class]*duration

func (m durations) learn(k Kind, d time.Duration, now time.Time) {
	for _, c := range []class{k.class(), k.family()} {
		old := m[c]
		if old == nil || now.Sub(old.at) > memorable {
			old = &duration{}
			m[c] = old
		}
		old.count = min(old.count+1, window)
		old.mean += (float64(d) - old.mean) / float64(old.count)
		old.at = now
	}
}

// of returns what is expected of k.
func (m durations) of(k Kind, now time.Time) (d time.Duration, known bool) {
	for _, c := range []class{k.class(), k.family()} {
		if e := m[c]; e != nil && now.Sub(e.at) <= memorable {
			return time.Duration(e.mean), true
		}
	}
	return 0, false
}

// peaks are the learnt peaks of memory, in bytes.
type peaks map[class]int64

// peakFade is the share by which a peak fades with each compile that stays
// below it.
const peakFade = 32

func (m peaks) learn(k Kind, bytes int64) {
	for _, c := range []class{k.class(), k.family()} {
		m[c] = max(bytes, m[c]-m[c]/peakFade)
	}
}

// of returns what k is expected to need, 0 where nothing is known.
func (m peaks) of(k Kind) int64 {
	if p, ok := m[k.class()]; ok {
		return p
	}
	return m[k.family()]
}

// learnLocal learns from a local leg that came to its end.
func (c *Chooser) learnLocal(k Kind, cost Cost, took time.Duration) {
	if cost.Wall > 0 {
		took = cost.Wall
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.local.learn(k, took, time.Now())
	if cost.MaxRSS > 0 {
		c.memory.learn(k, cost.MaxRSS)
	}
}

func (c *Chooser) learnRemote(k Kind, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remote.learn(k, took, time.Now())
}

// patience is how long a remote leg may take before the local one joins in.
func (c *Chooser) patience(k Kind, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	expected, known := c.remote.of(k, now)
	if !known {
		return maxPatience
	}
	return min(2*expected, maxPatience)
}

const (
	maxPatience = time.Minute
	// patienceStep is how often patience is looked at: others of the kind
	// teach what to expect while a task waits.
	patienceStep = 500 * time.Millisecond
)
