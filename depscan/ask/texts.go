package ask

import (
	"container/list"
	"fmt"
	"os"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// texts remembers Texts by content, least recently used ones dropped. It is safe
// for concurrent use.
type texts struct {
	limit int
	mu    sync.Mutex
	size  int
	byKey map[textKey]*list.Element // of *textEntry
	order list.List                 // most recently used first
	// seen holds the words of all Texts that ever were.
	seen wordFilter
}

type textKey struct {
	content digest.Digest
	dialect dialect
}

type textEntry struct {
	key  textKey
	text *Text
	size int
}

func newTexts(limit int) *texts {
	return &texts{limit: limit, byKey: map[textKey]*list.Element{}, seen: newWordFilter()}
}

// of returns the Text of the file at path, whose content has digest d.
func (t *texts) of(path string, d digest.Digest, in dialect) (*Text, error) {
	key := textKey{d, in}
	if text := t.get(key); text != nil {
		return text, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(content)) != d.Size || digest.Of(content) != d {
		return nil, toolchains.Unsupported("modified-during-compile", path)
	}
	text := scanText(content, in)
	t.put(key, text)
	return text, nil
}

// ofContent returns the Text of content.
func (t *texts) ofContent(content []byte, in dialect) *Text {
	key := textKey{digest.Of(content), in}
	text := t.get(key)
	if text == nil {
		text = scanText(content, in)
		t.put(key, text)
	}
	return text
}

func (t *texts) get(key textKey) *Text {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.byKey[key]
	if !ok {
		return nil
	}
	t.order.MoveToFront(e)
	return e.Value.(*textEntry).text
}

func (t *texts) put(key textKey, text *Text) {
	entry := &textEntry{key, text, text.size()}
	t.seen.add(&text.words)
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.byKey[key]; ok {
		return
	}
	t.byKey[key] = t.order.PushFront(entry)
	t.size += entry.size
	for t.size > t.limit && t.order.Len() > 1 {
		last := t.order.Remove(t.order.Back()).(*textEntry)
		delete(t.byKey, last.key)
		t.size -= last.size
	}
}

// size returns about the number of bytes that t takes.
func (t *Text) size() int {
	n := 300 + t.words.size()
	for _, list := range [][]Name{t.Names, t.Candidates} {
		for _, name := range list {
			n += 32 + len(name.Path)
		}
	}
	for _, list := range [][]string{t.Lines, t.ComputedProbes} {
		for _, s := range list {
			n += 16 + len(s)
		}
	}
	return n
}
