package parity

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// ErrNoShell is returned where the worker has no /bin/sh, stat or sha256sum: it
// cannot say what it has, so that nothing can be left out of Actions for it.
var ErrNoShell = errors.New("worker has no shell with stat and sha256sum")

// errProbe is an answer that is none.
var errProbe = errors.New("malformed answer of a probe")

const (
	// probeTimeout is for hashing some hundred megabytes on a busy worker.
	probeTimeout = 5 * time.Minute
	probeOutput  = "found"
	// batchSize is how many names one probe looks at; they have to fit into
	// the arguments of one process.
	batchSize = 10_000
	noTools   = 3 // exit status
)

// probeScript answers about the names in the files "files", "absent" and "dirs":
//
//	answer = stats "sums" LF sums "there" LF { name LF } "dirs" LF stats "end" LF ;
//	stats  = { stamp " " name LF } ;
//	sums   = { 64 hex digits "  " name LF } ;
//
// What is not there is left out. Names hold no blanks (see spellable).
const probeScript = `PATH=/usr/bin:/bin TZ=UTC0; export PATH TZ
command -v stat >/dev/null && command -v sha256sum >/dev/null && command -v cat >/dev/null || exit 3
files=$(cat files) absent=$(cat absent) dirs=$(cat dirs)
{
if [ "$files" ]; then stat -L -c '%s %y %n' -- $files; fi
echo sums
if [ "$files" ]; then sha256sum -- $files; fi
echo there
for f in $absent; do if [ -e "$f" ] || [ -L "$f" ]; then echo "$f"; fi; done
echo dirs
if [ "$dirs" ]; then stat -L -c '%s %y %n' -- $dirs; fi
echo end
} >found 2>/dev/null
exit 0`

// A prober runs probes on the workers of one platform.
type prober struct {
	executor execute.Executor
	store    cas.Store
	function digest.Function
	platform []action.Property
}

// probe returns what a worker, and which, has of what n names.
func (p *prober) probe(ctx context.Context, n *need) (worker string, found *facts, err error) {
	files := slices.Sorted(maps.Keys(n.files))
	absent := slices.Sorted(maps.Keys(n.absent))
	var dirs []string
	for _, name := range absent {
		dirs = append(dirs, path.Dir(name))
	}
	answer, worker, err := p.run(ctx, map[string][]string{"files": files, "absent": absent, "dirs": sorted(dirs)})
	if err != nil {
		return "", nil, err
	}
	found, err = readAnswer(answer, files, absent)
	return worker, found, err
}

// run executes the script. A word of its own in the environment keeps every
// cache from answering: some look at nothing but the Command.
func (p *prober) run(ctx context.Context, lists map[string][]string) (answer, worker string, err error) {
	var blobs []cas.Blob
	var entries []merkle.Entry
	for name, list := range lists {
		text := []byte(strings.Join(list, "\n"))
		d := p.function.Of(text)
		entries = append(entries, merkle.Entry{Path: name, Digest: d})
		blobs = append(blobs, cas.Bytes(d, text))
	}
	tree, err := merkle.BuildBy(p.function, entries)
	if err != nil {
		return "", "", fmt.Errorf("parity: %w", err)
	}
	spec := &action.Spec{
		Arguments: []string{shell, "-c", probeScript}, Env: []string{"REXWRAP_PROBE=" + nonce()},
		OutputFiles: []string{probeOutput}, InputRoot: tree.Root, Timeout: probeTimeout,
		Platform: p.platform, Function: p.function,
	}
	encoded, err := action.Encode(spec)
	if err != nil {
		return "", "", fmt.Errorf("parity: %w", err)
	}
	blobs = append(blobs, cas.Bytes(encoded.Action, encoded.ActionBlob), cas.Bytes(encoded.Command, encoded.CommandBlob))
	for d, blob := range tree.Directories {
		blobs = append(blobs, cas.Bytes(d, blob))
	}
	if err := cas.Ensure(ctx, p.store, blobs...); err != nil {
		return "", "", fmt.Errorf("parity: %w", err)
	}
	response, err := p.executor.Execute(ctx, &execute.Request{
		Action: encoded.Action, Outputs: spec.OutputPaths(), Timeout: probeTimeout, SkipCache: true,
	})
	if err != nil {
		return "", "", classify(err)
	}
	text, err := p.answer(ctx, response)
	return text, response.Metadata.GetWorker(), err
}

func nonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// classify tells a worker without a shell from other trouble.
func classify(err error) error {
	if errors.Is(err, execute.ErrRejected) || errors.Is(err, execute.ErrSuspect) {
		return fmt.Errorf("%w: %w", ErrNoShell, err)
	}
	return fmt.Errorf("parity: %w", err)
}

func (p *prober) answer(ctx context.Context, r *execute.Response) (string, error) {
	switch {
	case r.ExitCode == noTools:
		return "", ErrNoShell
	case r.ExitCode != 0:
		return "", fmt.Errorf("%w: exit code %d", errProbe, r.ExitCode)
	}
	file := r.Files[probeOutput]
	if file.Contents != nil {
		return string(file.Contents), nil
	}
	text, err := cas.Read(ctx, p.store, file.Digest)
	if err != nil {
		return "", fmt.Errorf("parity: %w", err)
	}
	return string(text), nil
}

// readAnswer reads an answer of probeScript.
func readAnswer(text string, files, absent []string) (*facts, error) {
	parts := [5]string{}
	rest := text
	for i, mark := range []string{"sums\n", "there\n", "dirs\n", "end\n"} {
		var ok bool
		if parts[i], rest, ok = cutLine(rest, mark); !ok {
			return nil, errProbe
		}
	}
	stamps, dirs, sums := readStamps(parts[0]), readStamps(parts[3]), readSums(parts[1])
	there := map[string]bool{}
	for name := range strings.FieldsSeq(parts[2]) {
		there[name] = true
	}
	now := time.Now()
	found := newFacts()
	for _, name := range files {
		found.files[name] = fileFact{sum: sums[name], stamp: stamps[name], at: now}
	}
	for _, name := range absent {
		found.names[name] = nameFact{there: there[name], dir: dirs[path.Dir(name)], at: now}
	}
	return found, nil
}

// cutLine cuts text around a line.
func cutLine(text, line string) (before, after string, ok bool) {
	if strings.HasPrefix(text, line) {
		return "", text[len(line):], true
	}
	before, after, ok = strings.Cut(text, "\n"+line)
	return before, after, ok
}

// readStamps reads lines of a stamp and a name.
func readStamps(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if i := strings.LastIndexByte(line, ' '); i >= 0 {
			out[line[i+1:]] = line[:i]
		}
	}
	return out
}

func readSums(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if sum, name, ok := strings.Cut(line, "  "); ok {
			out[name] = sum
		}
	}
	return out
}
