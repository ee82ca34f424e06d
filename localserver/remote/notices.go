package remote

import (
	"strings"
	"sync"

	"github.com/rs/zerolog"
)

// notices are what a Remote's connections have to say, the latest of each
// address. They are safe for concurrent use.
type notices struct {
	log zerolog.Logger

	mu        sync.Mutex
	byAddress map[string]string
	readOnly  string
}

// back is how a connection says that its trouble is over.
const back = ": is back"

// add takes a text of client.Options.Notify, which begins with the address.
func (n *notices) add(text string) {
	n.log.Warn().Str("notice", text).Msg("remote")
	address := text
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		host, _, _ := strings.Cut(rest, ": ")
		address = scheme + "://" + host
	} else if before, _, ok0 := strings.Cut(text, ": "); ok0 {
		address = before
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if strings.HasSuffix(text, back) {
		delete(n.byAddress, address)
		return
	}
	if n.byAddress == nil {
		n.byAddress = make(map[string]string)
	}
	n.byAddress[address] = text
}

// refused notes once that results cannot be stored at address.
func (n *notices) refused(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.readOnly == "" {
		n.readOnly = address + ": takes no results: what is compiled here is not shared"
		n.log.Warn().Str("notice", n.readOnly).Msg("remote")
	}
}

func (n *notices) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for _, text := range n.byAddress {
		out = append(out, text)
	}
	if n.readOnly != "" {
		out = append(out, n.readOnly)
	}
	return out
}
