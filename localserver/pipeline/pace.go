package pipeline

import (
	"sync"
	"time"
)

// pace learns how long compiles take, by language. The zero pace knows nothing.
// It is safe for concurrent use.
type pace struct {
	mu   sync.Mutex
	slow map[string]time.Duration
}

const (
	// minPatience is what a follower grants its leader in any case, and
	// before anything has been learnt.
	minPatience = 20 * time.Second
	// forget is the share by which the slowest compile fades with each new
	// one: one monster does not make followers wait for ever.
	fade = 32
)

// add learns from a compile that took d.
func (p *pace) add(language string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slow == nil {
		p.slow = make(map[string]time.Duration)
	}
	old := p.slow[language]
	p.slow[language] = max(d, old-old/fade)
}

// patience is how long a follower waits for its leader: twice what a slow
// compile of the language takes.
func (p *pace) patience(language string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(minPatience, 2*p.slow[language])
}
