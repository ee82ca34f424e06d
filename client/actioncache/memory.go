package actioncache

import (
	"context"
	"sync"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A Memory is a Cache in memory. The zero Memory is empty.
type Memory struct {
	mu      sync.Mutex
	results map[digest.Digest]*repb.ActionResult
}

// Get implements Cache.
func (m *Memory) Get(ctx context.Context, action digest.Digest, _ ...string) (*repb.ActionResult, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.results[action]; r != nil {
		return r, nil
	}
	return nil, ErrNotFound
}

// Put implements Cache.
func (m *Memory) Put(ctx context.Context, action digest.Digest, result *repb.ActionResult) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.results == nil {
		m.results = make(map[digest.Digest]*repb.ActionResult)
	}
	m.results[action] = result
	return nil
}
