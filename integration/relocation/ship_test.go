//go:build linux

package relocation

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack"
)

// shippedRows are those rows of the table that a plain run takes.
func shippedRows(name string) bool {
	for _, want := range []string{"/inside", "/cmake", "/relative"} {
		if strings.HasSuffix(name, want) {
			return true
		}
	}
	return false
}

// TestShipped runs the table with shipped toolchains, on workers that have
// nothing else: a mount namespace that holds the InputRoot, at a place of its
// own, /proc and /dev/null.
func TestShipped(t *testing.T) {
	r, s := newRig(t), newShipper(t)
	ran := 0
	for _, row := range rows() {
		if !long() && (!row.short || !shippedRows(row.name)) || row.unproven != "" {
			continue
		}
		for cc := range strings.FieldsSeq(row.on) {
			program := compilerFor(t, cc)
			t.Run(row.name+"/"+cc, func(t *testing.T) {
				if s.ship(t, r, &row, program) {
					ran++
				}
			})
		}
	}
	if ran < 6 {
		t.Errorf("%d rows were shipped", ran)
	}
}

// A shipper unpacks each toolchain once.
type shipper struct {
	dir      string
	launcher pack.Launcher
	packs    map[string]*unpacked // by driver and language
}

type unpacked struct {
	*pack.Pack
	tree *merkle.Tree
	dir  string
}

func newShipper(t *testing.T) *shipper {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "rexlaunch")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "../../cmd/rexlaunch")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return &shipper{dir: dir, launcher: pack.Launcher{Data: data}, packs: map[string]*unpacked{}}
}

// packed returns the toolchain of c, unpacked.
func (s *shipper) packed(t *testing.T, c *toolchains.Compile) *unpacked {
	t.Helper()
	key := c.Toolchain.Program + " " + c.Language
	if u := s.packs[key]; u != nil {
		return u
	}
	p, err := pack.New(c.Toolchain, c.Language, s.launcher, readFiles{})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := layout.PackTree(p)
	if err != nil {
		t.Fatal(err)
	}
	u := &unpacked{p, tree, filepath.Join(s.dir, fmt.Sprint(len(s.packs)))}
	for _, e := range p.Entries {
		data := e.Data
		if e.Source != "" {
			if data, err = os.ReadFile(e.Source); err != nil {
				t.Fatal(err)
			}
		}
		name := filepath.Join(u.dir, filepath.FromSlash(e.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.packs[key] = u
	return u
}

// ship proves one row for one compiler. It reports false for a compile that is
// not proven when it is shipped.
func (s *shipper) ship(t *testing.T, r *rig, row *row, program string) bool {
	p := newPlace(t)
	call := p.call(row, program)
	call.Env = call.Env.With("LC_ALL=C") // what it prints is the worker's as well
	root := p.expand("$P")
	if row.root != "" {
		root = p.expand(strings.TrimPrefix(row.root, "none"))
	}
	prepare(t, row, call)
	req := r.request(t, call, root)
	u := s.packed(t, req.Compile)
	req.Mode, req.HostFile = row.mode, nil
	req.Ship = &layout.Ship{Pack: u.Pack, Tree: u.tree, Facts: r.factsOf(t, req.Compile)}
	l, err := layout.New(req)
	if err != nil {
		t.Fatal(err)
	}
	if l.Unproven != nil {
		t.Logf("not shipped: %v", l.Unproven)
		return false
	}
	if len(l.Host) > 0 || len(l.HostAbsent) > 0 {
		t.Errorf("the worker needs %v", l.Host)
	}
	want := compile(t, withLocal(call.Argv, l), call.Dir, call.Env, localOutputs(req.Compile))
	if diff := difference(want, s.onEmptyWorker(t, l, contents(t, l), u), l, req.Compile); diff != "" {
		t.Errorf("%s\n%q\n%s", diff, l.Arguments, strings.Join(l.Env, "\n"))
	}
	return true
}

// factsOf are the compiler's, nil where nothing is preprocessed.
func (r *rig) factsOf(t *testing.T, c *toolchains.Compile) *toolchains.Facts {
	t.Helper()
	if strings.HasSuffix(c.Language, "assembler") || strings.HasSuffix(c.Language, "cpp-output") {
		return nil
	}
	facts, err := r.prober.Facts(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// onEmptyWorker runs the Command of l where there is nothing but its InputRoot.
func (s *shipper) onEmptyWorker(t *testing.T, l *layout.Layout, contents map[digest.Digest][]byte, u *unpacked) *outcome {
	t.Helper()
	const script = `set -e
path=$PATH PATH=/usr/bin:/bin
base=$1 at=$2 root=$3 dir=$4 pack=$5 packed=$6
shift 6
mount -t tmpfs none "$base"
mkdir -p "$base/proc" "$base/dev" "$base/tmp" "$base$at"
touch "$base/dev/null"
mount --bind /dev/null "$base/dev/null"
mount --rbind /proc "$base/proc"
mount --bind "$root" "$base$at"
mount --bind "$pack" "$base$at/$packed"
PATH=$path
exec /usr/bin/unshare --root="$base" --wd="$at/$dir" "$@"
`
	rest := *l
	rest.Entries = slices.Clone(l.Entries)
	packed := ""
	rest.Entries = slices.DeleteFunc(rest.Entries, func(e merkle.Entry) bool {
		if e.Mount != nil {
			packed = e.Path
		}
		return e.Mount != nil
	})
	root := t.TempDir()
	unpack(t, &rest, contents, root)
	if err := os.MkdirAll(filepath.Join(root, packed), 0o755); err != nil {
		t.Fatal(err)
	}
	outputs := map[toolchains.Role]string{}
	for _, o := range l.Outputs {
		outputs[o.Role] = filepath.Join(root, l.WorkingDir, o.Path)
	}
	argv := slices.Concat([]string{
		"/usr/bin/unshare", "--map-root-user", "--mount", "/bin/sh", "-c", script, "sh",
		t.TempDir(), "/srv/worker-7/build", root, l.WorkingDir, u.dir, packed,
	}, l.Arguments)
	return compile(t, argv, root, l.Env, outputs)
}
