package pipeline

import (
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// keyParts is everything of a compile that is known before a header is read
// and can reach its result, in canonical form. The manifest key is its digest;
// the journal keeps it, so that two compiles can be told apart by name.
type keyParts struct {
	Family    string
	Toolchain digest.Digest
	Mode      toolchains.Mode
	Language  string
	Dir       string
	Args      []string
	Env       []string // NAME=value, or NAME alone where it is unset
	Native    string
	Dep       string
	Output    string
	Roles     []string // of the outputs: a result without one cannot serve
	Source    digest.Digest
	Extra     []string // the user's extra inputs: PATH, then its digest
}

// keyOf gathers the key parts of c. native is the compiler's own reading of
// -march=native and its like, empty where c has none.
func keyOf(c *toolchains.Compile, at place, native string, source digest.Digest) *keyParts {
	k := &keyParts{
		Family: c.Toolchain.Family, Toolchain: c.Toolchain.Digest, Mode: c.Mode, Language: c.Language,
		Dir: at.relDir(), Native: native, Source: source,
	}
	if c.Carries != 0 && !at.shared {
		k.Dir = c.Call.Dir + "\n" + c.Call.PWD
	}
	if c.Crate != nil { // rustc asks the system where it is, not the shell
		k.Dir = c.Call.Dir
		if at.shared {
			k.Dir = at.encode(k.Dir)
		}
	}
	k.Args = canonicalArgs(c, at)
	if at.shared && c.Crate == nil {
		k.Args = append(k.Args, sharedRoot)
	}
	for _, name := range c.Env {
		if name == epochVariable {
			continue
		}
		if v, ok := c.Call.Env.Lookup(name); ok {
			if c.Crate != nil && at.shared {
				v = at.encode(v)
			}
			k.Env = append(k.Env, name+"="+v)
		} else {
			k.Env = append(k.Env, name)
		}
	}
	if c.Dep != nil {
		k.Dep = depKind(c.Dep)
	}
	if c.Carries&toolchains.CarriesOutput != 0 {
		k.Output = c.Outputs[0].Path
	}
	for _, o := range c.Outputs {
		k.Roles = append(k.Roles, string(o.Role))
	}
	return k
}

// sharedRoot stands in keys for the arguments of layout.Relocation.
const sharedRoot = "-ffile-prefix-map=" + rootMark + "="

func depKind(d *toolchains.DepFile) string {
	kind := "user"
	if d.System {
		kind = "system"
	}
	if d.Phony {
		kind += " phony"
	}
	return kind
}

// canonicalArgs renders the arguments for the key: what cannot reach the result
// is left out, names of outputs are, and absolute paths below the exec root
// lose it unless the flags carry paths into the result. A command line that is
// recorded in the result stands in the key as it is: cl.exe's with what response files and
// variables add.
func canonicalArgs(c *toolchains.Compile, at place) []string {
	if c.Crate != nil {
		return crateArgs(c, at)
	}
	if c.Recorded && c.Microsoft == nil {
		return c.Call.Argv[1:]
	}
	if c.Carries != 0 && !at.shared {
		at.root = ""
	}
	words := make([]string, 0, len(c.Args))
	for i := range c.Args {
		a := &c.Args[i]
		switch {
		case c.Recorded && !sharesDatabase(c), c.Toolchain.Family == toolchains.FamilyClangCL && a.Class.Has(argtable.NoKey):
			// clang-cl says of some that they are unused
			words = append(words, a.Words()...)
		case a.Class.Has(argtable.NoKey), a.Class.Has(argtable.Dep) && dashed(a.Option) != "-sourceDependencies":
		case a.Class.Has(argtable.Output):
			if !namesOnly(c, a.Option) {
				words = append(words, a.Option)
			}
		case a.Class.Has(argtable.Source):
			words = append(words, at.encode(c.Source))
		case a.Class.Has(argtable.Path):
			words = append(words, a.Render(at.encode(a.Value))...)
		default:
			words = append(words, a.Words()...)
		}
	}
	return words
}

// namesOnly reports whether an option of c gives a name to what is written without it too.
// Others stand in the key although Roles would do, so that explain can name them.
func namesOnly(c *toolchains.Compile, option string) bool {
	if c.Microsoft == nil {
		return option == "-o"
	}
	switch dashed(option) {
	case "-o", "-Fo", "-Fo:", "-Fd":
		return true
	}
	return false
}

// sharesDatabase reports whether the object will be made with other names of outputs than
// the call's.
func sharesDatabase(c *toolchains.Compile) bool {
	return c.Microsoft != nil && c.Microsoft.Debug == toolchains.DebugDatabase
}

// manifestKey is the digest of k.
func (k *keyParts) manifestKey() digest.Digest {
	b := digest.NewBuilder("rexwrap manifest 3")
	b.String(k.Family)
	b.Digest(k.Toolchain)
	b.String(string(rune(k.Mode)))
	b.String(k.Language)
	b.String(k.Dir)
	b.Strings(k.Args)
	b.Strings(k.Env)
	b.String(k.Native)
	b.String(k.Dep)
	b.String(k.Output)
	b.Strings(k.Roles)
	b.Digest(k.Source)
	b.Strings(k.Extra)
	return b.Sum()
}

// journal returns k in the journal's terms: what may be written down.
func (k *keyParts) journal() *journal.KeyParts {
	out := &journal.KeyParts{
		Args: shown(k.Args), Dir: k.Dir, Toolchain: k.Toolchain, Source: k.Source,
		Env: make([]journal.Variable, len(k.Env)),
	}
	for i, kv := range k.Env {
		name, value, set := strings.Cut(kv, "=")
		out.Env[i] = journal.NewVariable(name, value, set)
	}
	if k.Family == "rustc" && k.Native != "" {
		linker, processor, native := strings.Cut(k.Native, " ")
		out.Env = append(out.Env, journal.NewVariable("linker", linker, linker != ""))
		if native {
			out.Env = append(out.Env, journal.NewVariable("processor", processor, true))
		}
	}
	for i := 0; i < len(k.Extra); i += 2 {
		out.Env = append(out.Env, journal.NewVariable("extra input "+k.Extra[i], k.Extra[i+1], true))
	}
	return out
}

// shown returns canonical arguments as people read them.
func shown(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = strings.Replace(strings.Replace(a, rootMark, "ROOT/", 1), mountMark, "-L", 1)
	}
	return out
}
