package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/client/checkup"
	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/remote"
)

func (a *app) doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "look for what keeps rexwrap from working well",
		Description: "Nothing is changed here. A remote that is set is tried end to end: connecting,\n" +
			"its capabilities, a blob up and down, a result stored and found, an Action\n" +
			"executed, and the compilers of the workers compared with those here. The exit\n" +
			"code is 1 where something does not work.",
		Flags: []cli.Flag{
			jsonFlag(),
			&cli.BoolFlag{Name: "msvc", Usage: "try cl.exe and its linker instead"},
		},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			examine := a.examine
			if c.Bool("msvc") {
				examine = a.examineMSVC
			}
			d := examine(c.Context)
			if err := a.answer(c, d, func() { a.stdout.diagnosis(d) }); err != nil {
				return err
			}
			if slices.ContainsFunc(d.Checks, func(k check) bool { return k.Status == bad }) {
				return exitError(exitFailed)
			}
			return nil
		},
	}
}

// diagnosis is `doctor --json`. The keys are stable.
type diagnosis struct {
	SchemaVersion int     `json:"schema_version"`
	Checks        []check `json:"checks"`
}

// check is the outcome of one check. Hint says what to do.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Text   string `json:"text"`
	Hint   string `json:"hint,omitempty"`
}

// The values of check.Status.
const (
	fine    = "ok"
	warning = "warning"
	bad     = "error"
)

func (d *diagnosis) add(name, status, text, hint string) {
	d.Checks = append(d.Checks, check{name, status, text, hint})
}

// examine makes all checks. They start nothing and change nothing, but for a
// file in the cache directory that is removed at once, and a few blobs and a
// result in the remote, where one is set and may be written to.
func (a *app) examine(ctx context.Context) *diagnosis {
	d := &diagnosis{SchemaVersion: 1}
	a.checkPrograms(d)
	a.checkServer(ctx, d)
	a.checkCacheDir(d)
	a.checkCompilers(d)
	a.checkOtherCaches(d)
	a.checkRust(d)
	a.checkSettings(d)
	a.checkRemote(ctx, d)
	a.checkToolchains(ctx, d)
	return d
}

func (a *app) checkPrograms(d *diagnosis) {
	path := a.rexwrap()
	if path == "" {
		d.add("rexwrap", bad, "not found beside rexd or on PATH", "install both binaries in one folder")
		return
	}
	d.add("rexwrap", fine, path+", version "+a.version, "")
}

func (a *app) checkServer(ctx context.Context, d *diagnosis) {
	socket, _ := a.whereabouts()
	s, err := a.running().Status(ctx)
	switch {
	case errors.Is(err, admin.ErrNoServer):
		d.add("server", fine, "none is running; the first compile starts one at "+socket, "")
	case err != nil:
		d.add("server", bad, err.Error(), "rexwrap server stop, or remove the socket "+socket)
	case s.Version != a.version:
		d.add("server", warning, fmt.Sprintf("process %d has version %s, the verbs have %s", s.PID, s.Version, a.version),
			"rexwrap server stop; the next compile starts the new one")
	default:
		d.add("server", fine, fmt.Sprintf("process %d at %s", s.PID, s.Socket), "")
	}
	if s != nil {
		a.checkStatus(d, s)
	}
	if ns := currentView().Namespace; ns != "" {
		d.add("namespace", fine, ns, "")
	}
}

// checkStatus passes on what the server says of itself, uploads under way among it.
// What it says of its settings is the check of settings' to tell.
func (a *app) checkStatus(d *diagnosis, s *admin.Status) {
	if s.CacheProblem != "" {
		d.add("cache", warning, s.CacheProblem, "")
	}
	settings := a.settings()
	for _, w := range s.Warnings {
		if !slices.Contains(settings.Warnings, w) && !slices.Contains(settings.Errors, w) {
			d.add("server", warning, w, "")
		}
	}
}

func (a *app) checkCacheDir(d *diagnosis) {
	_, dir := a.whereabouts()
	if s, _ := config.NewLoader().LoadServer(a.env); s != nil && s.Origin("cache_dir").Source == config.FromUser {
		dir = s.CacheDir
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		d.add("cache folder", fine, dir+" does not exist yet", "")
		dir = existingParent(dir)
	} else if err != nil || !info.IsDir() {
		d.add("cache folder", bad, dir+" cannot be used", "set REXWRAP_CACHE_DIR to a folder of your own")
		return
	}
	a.checkVolume(d, dir)
}

// existingParent returns the nearest folder above dir that exists.
func existingParent(dir string) string {
	for {
		parent := filepath.Dir(dir)
		if _, err := os.Stat(parent); err == nil || parent == dir {
			return parent
		}
		dir = parent
	}
}

// checkVolume looks at the file system of the cache directory.
func (a *app) checkVolume(d *diagnosis, dir string) {
	v, err := volumeOf(dir)
	switch {
	case err != nil:
		d.add("cache folder", bad, err.Error(), "set REXWRAP_CACHE_DIR to a folder of your own")
		return
	case v.foreign:
		d.add("cache folder", bad, dir+" belongs to another user", "set REXWRAP_CACHE_DIR to a folder of your own")
	case v.network:
		d.add("cache folder", warning, dir+" is on "+v.kind+", a network file system", "put the cache on a local disk")
	default:
		d.add("cache folder", fine, dir+" is on "+v.kind, "")
	}
	if cloned, err := clones(dir); err != nil {
		d.add("writing", bad, "the cache folder cannot be written: "+reason(err), "nothing is cached")
	} else if cloned {
		d.add("reflink", fine, "the file system shares copies", "")
	} else {
		d.add("reflink", fine, "the file system does not share copies; results are copied", "")
	}
	settings, _ := config.NewLoader().LoadServer(a.env) // its errors have a check of their own
	if v.free < 1<<30 {
		d.add("disk space", warning, size(v.free)+" are free", "the cache stops storing when the disk is full")
		return
	}
	d.add("disk space", fine, fmt.Sprintf("%s are free, the cache may take %s", size(v.free), size(settings.CacheSize)), "")
}

// reason is err without the name of a temporary file.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func (a *app) checkCompilers(d *diagnosis) {
	s := a.search()
	if names := s.compilers(); len(names) > 0 {
		d.add("compilers", fine, strings.Join(names, " "), "")
	} else {
		d.add("compilers", warning, "none is on PATH", "install gcc or clang, or name the compiler by its path")
	}
	folders, first := s.masquerades()
	for i, folder := range folders {
		if first[i] {
			d.add("masquerade", fine, folder+" comes before the compilers", "")
		} else {
			d.add("masquerade", warning, folder+" comes after real compilers on PATH", "put it first on PATH")
		}
	}
	if len(folders) == 0 {
		d.add("masquerade", fine, "no folder of links is on PATH; see rexwrap help links", "")
	}
}

// checkOtherCaches looks for another compiler cache in front of the same
// compilers: two of them answer each other's misses and hide their statistics.
func (a *app) checkOtherCaches(d *diagnosis) {
	for _, name := range []string{
		"CC", "CXX", "CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER", "CCACHE_PREFIX",
		"RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER",
	} {
		if tool, ok := isLauncher(a.env.Value(name)); ok {
			d.add("other caches", warning, fmt.Sprintf("%s starts with %s", name, tool), "use one cache: unset "+name)
		}
	}
	for _, dir := range a.search().dirs {
		if tool, ok := foreignMasquerade(dir); ok {
			d.add("other caches", warning, dir+" on PATH stands for the compilers by "+tool, "take it off PATH")
		}
	}
}

// foreignMasquerade reports whether the compilers of dir are another cache.
func foreignMasquerade(dir string) (tool string, ok bool) {
	for _, name := range []string{"gcc", "cc", "clang"} {
		if real, err := filepath.EvalSymlinks(filepath.Join(dir, name)); err == nil {
			if tool, ok := isLauncher(real); ok {
				return tool, true
			}
		}
	}
	return "", false
}

func (a *app) checkSettings(d *diagnosis) {
	r := a.settings()
	for _, e := range r.Errors {
		d.add("settings", bad, e, "until then every compile runs without the cache")
	}
	for _, w := range r.Warnings {
		d.add("settings", warning, w, "")
	}
	if a.env.Value("HOME") == "" && a.env.Value("USERPROFILE") == "" {
		d.add("settings", warning, "HOME is not set", "the cache is kept in /tmp; set HOME or REXWRAP_CACHE_DIR")
	}
	if off, err := config.ParseBool(a.env.Value("REXWRAP_DISABLE")); err == nil && off {
		d.add("settings", warning, "REXWRAP_DISABLE is set", "unset it to use the cache")
	}
	if len(r.Errors)+len(r.Warnings) == 0 {
		d.add("settings", fine, "no errors; rexwrap config shows them", "")
	}
}

// checkRemote tries the remote that compiles called from here would use.
func (a *app) checkRemote(ctx context.Context, d *diagnosis) {
	s, err := config.NewLoader().Load(a.env, a.dir)
	if err != nil {
		return // the check of settings has said why
	}
	bar, steps := a.progress("asking the remote"), int64(0)
	err = remote.Examine(ctx, s, remote.Options{Version: a.version, Log: zerolog.Nop()}, func(f checkup.Finding) {
		d.add(f.Name, string(f.Status), f.Text, f.Advice)
		steps++
		_ = bar.report(&admin.Progress{Done: steps, Total: checkup.Steps})
	})
	bar.end()
	switch {
	case errors.Is(err, remote.ErrNone):
		d.add("remote", fine, "none is set; results are kept on this machine only", "")
	case err != nil:
		d.add("remote", bad, err.Error(), "rexwrap config shows where the settings come from")
	}
}

func (p *printer) diagnosis(d *diagnosis) {
	for _, c := range d.Checks {
		mark := map[string]string{fine: p.green("ok     "), warning: p.yellow("warning"), bad: p.red("error  ")}[c.Status]
		for i, text := range wrap(c.Text, maxColumns-23) {
			if i == 0 {
				p.printf("%s %s %s\n", mark, padded(c.Name, 14), text)
			} else {
				p.printf("%22s %s\n", "", text)
			}
		}
		if c.Hint != "" {
			for _, text := range wrap("> "+c.Hint, maxColumns-23) {
				p.printf("%22s %s\n", "", p.bold(text))
			}
		}
	}
}
