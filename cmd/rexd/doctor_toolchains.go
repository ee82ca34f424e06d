package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/parity"
	"github.com/rexwrap/rexwrap/localserver/remote"
	"github.com/rexwrap/rexwrap/toolchains"
)

// The values of the setting toolchain that doctor tells apart.
const (
	toolchainHost = "host"
	toolchainShip = "ship"
	toolchainAuto = "auto"
)

// shownDifferences is how many files of another toolchain are named.
const shownDifferences = 3

// comparing bounds the time for one compiler: a worker may have to be started, and
// reads some hundred megabytes.
const comparing = time.Minute

// checkToolchains compares the usual compilers with what the workers have, and
// says what becomes of compiles under the setting toolchain.
func (a *app) checkToolchains(ctx context.Context, d *diagnosis) {
	s, err := config.NewLoader().Load(a.env, a.dir)
	if err != nil || s.Strategy == config.Local || strings.HasPrefix(s.Toolchain, "file:") {
		return
	}
	t := a.newTools(os.TempDir())
	defer t.close()
	t.root = s.ToolchainRoot != ""
	seen := map[digest.Digest]bool{}
	for _, name := range []string{"cc", "clang", "rustc"} {
		call, err := a.compilerCall("doctor", a.dir, []string{name})
		if err != nil {
			continue // none is here
		}
		tc, files, err := t.parts(ctx, call)
		if err != nil || seen[tc.Digest] {
			continue // the compiler's calls run here, and say why
		}
		seen[tc.Digest] = true
		w := &workersOf{tools: t, call: call, toolchain: tc, setting: s.Toolchain}
		if s.Toolchain != toolchainShip {
			ctx, cancel := context.WithTimeout(ctx, comparing)
			w.compared, w.trouble = remote.Compare(ctx, s, remote.Options{Version: a.version, Log: zerolog.Nop()}, files)
			cancel()
		}
		if errors.Is(w.trouble, remote.ErrNone) || errors.Is(w.trouble, remote.ErrNoWorkers) {
			return // a cache, or nothing
		}
		w.check(ctx, d)
	}
}

// parts returns a compiler with the files that a worker must have in its place:
// of rustc those of what links, too.
func (t *tools) parts(ctx context.Context, call *toolchains.Call) (*toolchains.Toolchain, []parity.File, error) {
	tc, err := t.resolver.Resolve(ctx, call)
	if err != nil {
		return nil, nil, err
	}
	programs := tc.Programs
	if tc.Family == "rustc" {
		if linker, err := t.linker(ctx, call); err == nil {
			programs = append(programs[:len(programs):len(programs)], linker.Programs...)
		}
	}
	var files []parity.File
	for _, p := range programs {
		if p.Path != "" {
			files = append(files, parity.File{Path: p.Path, Digest: p.Digest})
		}
	}
	return tc, files, nil
}

// workersOf is a compiler here with what is known of the workers'.
type workersOf struct {
	tools     *tools
	call      *toolchains.Call
	toolchain *toolchains.Toolchain
	setting   string
	compared  *parity.Comparison // nil where nobody was asked, or trouble says why
	trouble   error
}

// check adds what is known.
func (w *workersOf) check(ctx context.Context, d *diagnosis) {
	name, tc := "toolchain", w.toolchain
	text := fmt.Sprintf("%s: %s %s", tc.Program, tc.Family, tc.Version)
	switch {
	case w.trouble == nil && w.compared != nil && len(w.compared.Differences) == 0:
		d.add(name, fine, fmt.Sprintf("%s, %s here and on %s: its own is used", text, shortHex(w.compared.Here), workerName(w.compared.Worker)), "")
		return
	case w.compared != nil:
		text += fmt.Sprintf(", %s here, %s on %s%s", shortHex(w.compared.Here), shortHex(w.compared.There), workerName(w.compared.Worker), w.differences())
	case w.trouble != nil:
		text += ", not found out what workers have: " + w.trouble.Error()
	}
	if w.setting == toolchainHost {
		d.add(name, warning, text+"; compiles run here", "install this compiler on the workers, or set toolchain = \"auto\"")
		return
	}
	x, err := w.tools.packing(ctx, w.call, allLanguages)
	if err != nil {
		why := err.Error()
		if reason, arg, ok := toolchains.ReasonOf(err); ok {
			why = because(reason, arg)
		}
		d.add(name, warning, text+"; it cannot be sent, and compiles run here: "+why, "install this compiler on the workers")
		return
	}
	d.add(name, fine, fmt.Sprintf("%s; it is sent: %s in %s", text, size(x.Bytes), plural(int64(x.Count), "file")), "")
}

// differences names the first files that workers have otherwise.
func (w *workersOf) differences() string {
	var b strings.Builder
	for i, f := range w.compared.Differences {
		if i == shownDifferences {
			fmt.Fprintf(&b, "; and %d more", len(w.compared.Differences)-i)
			break
		}
		theirs := "none"
		if len(f.Theirs) >= shortLength {
			theirs = f.Theirs[:shortLength]
		}
		fmt.Fprintf(&b, "; %s is %s here, %s there", f.Path, shortHex(f.Digest), theirs)
	}
	return b.String()
}

const shortLength = 12

func shortHex(d digest.Digest) string { return d.Hex()[:shortLength] }

func workerName(name string) string {
	if name == "" {
		return "a worker"
	}
	return "worker " + name
}
