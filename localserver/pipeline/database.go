package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/materialize"
	"github.com/rexwrap/rexwrap/localserver/pdbsession"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// What is different about cl.exe /Zi: the compiler writes the types of all compiles into
// one program database. Here each is run with a database of its own, in a folder of ours;
// object and database are what is stored, and when a result is put in its place, after a
// run as well as after a hit, its types are merged into the database that the build
// expects.

// Databases merge the types of compiles that share a program database. It is implemented
// by pdbsession.Sessions.
type Databases interface {
	Deliver(id pdbsession.Identity, m *pdbsession.Member) (*pdbsession.Delivery, error)
	// Keep has the member keep its own database.
	Keep(id pdbsession.Identity, m *pdbsession.Member) (*pdbsession.Delivery, error)
}

// A privateFamily is a Family whose compiles can be given a database of their own.
type privateFamily interface {
	toolchains.Family
	PrivateDatabase(c *toolchains.Compile, object, database string) ([]string, error)
}

// databaseName is what cl.exe calls a database by itself: that of version 14 of the
// libraries is the same for all compilers since 2015.
const databaseName = "vc140.pdb"

// A database is the one that a compile shares.
type database struct {
	pdbsession.Identity
	family privateFamily
	// folder, object and file are where a run has its own.
	folder, object, file string
	// merged is set when the types of this compile are in the database.
	merged bool
}

// A restater is a Family that knows calls which do the same in another way.
type restater interface {
	Embedded(call *toolchains.Call) ([]string, error)
	WithoutHeader(call *toolchains.Call) ([]string, bool)
}

// parse makes r.compile of the call, or of one with the precompiled header read as text or
// the types in the object, where the settings ask for that.
func (r *request) parse(family toolchains.Family, tc *toolchains.Toolchain) error {
	var err error
	other, ok := family.(restater)
	if r.compile, err = family.Parse(r.call, tc); !ok {
		return err
	}
	if reason, _, _ := toolchains.ReasonOf(err); reason == "precompiled-header" && r.settings.MSVCPch == "strip" {
		words, can := other.WithoutHeader(r.call)
		if !can {
			return err
		}
		err = r.restate(family, tc, words)
	}
	if err == nil && sharesDatabase(r.compile) && r.settings.MSVCPdb == "embed" {
		var words []string
		if words, err = other.Embedded(r.call); err == nil {
			err = r.restate(family, tc, words)
		}
	}
	return err
}

// restate has other arguments stand for those of the call.
func (r *request) restate(family toolchains.Family, tc *toolchains.Toolchain, words []string) error {
	call := *r.call
	call.Argv = append([]string{r.call.Argv[0]}, words...)
	call.Env = call.Env.With(withoutVariables()...)
	r.call, r.restated = &call, true
	var err error
	r.compile, err = family.Parse(r.call, tc)
	return err
}

// withoutVariables is the environment of a call whose arguments hold those of the variables.
func withoutVariables() []string { return []string{"CL=", "_CL_="} }

// findDatabase fills r.database for compiles that share one.
func (r *request) findDatabase(family toolchains.Family) error {
	m := r.compile.Microsoft
	if m == nil || m.Debug != toolchains.DebugDatabase {
		return nil
	}
	private, ok := family.(privateFamily)
	if mode := r.settings.MSVCPdb; mode == "local" || mode == "batch" || !ok || r.p.o.Databases == nil {
		return toolchains.Unsupported("shared-database", mode)
	}
	id, err := pdbsession.Identify(r.call.Dir, m.PDB, databaseName)
	if err != nil {
		return toolchains.Unsupported("shared-database", m.PDB)
	}
	folder := filepath.Join(r.p.o.Scratch, r.in.Token)
	source := filepath.Base(r.compile.Source)
	stem := strings.TrimSuffix(source, filepath.Ext(source))
	r.compile.Nondeterministic = true // build records name the place
	r.database = &database{
		Identity: id, family: private, folder: folder, object: filepath.Join(folder, stem+".obj"),
		file: filepath.Join(folder, fmt.Sprintf("%s.%.8s.pdb", stem, digest.OfString(r.in.Token).Hex())),
	}
	return nil
}

// preparePrivate has the compile run with a database of its own, and without a server for
// databases: one that outlives the build must not know it.
func (r *request) preparePrivate(x *run) error {
	d := r.database
	if err := os.MkdirAll(d.folder, 0o700); err != nil {
		return toolchains.Unsupported("scratch", err.Error())
	}
	words, err := d.family.PrivateDatabase(r.compile, d.object, d.file)
	if err != nil {
		return err
	}
	call, c := *r.call, *r.compile
	call.Argv = append([]string{r.call.Argv[0]}, words...)
	c.Call = &call
	if x.plan, err = r.p.o.Asker.Plan(&c, d.folder); err != nil {
		return err
	}
	x.command.Argv = x.plan.Argv
	x.command.Env = append(slices.Clone(x.plan.Env), r.privateEnv()...)
	x.mark = r.quiesce(nil)
	return nil
}

// privateEnv is the environment of such a run: the arguments hold those of the variables.
func (r *request) privateEnv() []string {
	return append(withoutVariables(), endpointVariable+"=rexwrap-"+r.in.Token)
}

// endpointVariable names the server for databases that a compile asks.
const endpointVariable = "_MSPDBSRV_ENDPOINT_"

// removePrivate removes what a run had of its own.
func (r *request) removePrivate() {
	if r.database != nil {
		removeTree(r.database.folder) // emptied when the next server starts, at the latest
	}
}

// capturePrivate adds the pair of object and database that a run has made. Where the
// object names no database there need be none.
func (r *request) capturePrivate() ([]captured, error) {
	var pair []captured
	for _, o := range []toolchains.Output{
		{Role: toolchains.RoleObject, Path: r.database.object},
		{Role: toolchains.RolePDB, Path: r.database.file, Optional: true},
	} {
		data, err := os.ReadFile(o.Path)
		switch {
		case errors.Is(err, os.ErrNotExist) && o.Optional:
		case err != nil:
			return nil, toolchains.Unsupported("output-missing", r.compile.Outputs[0].Path)
		default:
			pair = append(pair, captured{role: o.Role, path: o.Path, mode: 0o666, data: data})
		}
	}
	return pair, nil
}

// pairOf returns the captured object and its database, nil for none.
func pairOf(files []captured) (object, database []byte) {
	for i := range files {
		switch files[i].role {
		case toolchains.RoleObject:
			object = files[i].data
		case toolchains.RolePDB:
			database = files[i].data
		}
	}
	return object, database
}

// errNoDatabase says that an object came without the database that it names.
var errNoDatabase = errors.New("no private database")

// deliver merges the types of a pair and returns what is to be put in place. database
// returns the private one.
func (r *request) deliver(object []byte, key string, database func() ([]byte, error), from *pdbsession.Origin) (*pdbsession.Delivery, error) {
	give := r.p.o.Databases.Deliver
	if r.settings.MSVCPdb == "private" {
		give = r.p.o.Databases.Keep
	}
	d, err := give(r.database.Identity, &pdbsession.Member{
		Object: object, ObjectPath: r.call.Abs(r.compile.Outputs[0].Path), PDBKey: key, PDB: database,
		Mode: 0o666 &^ fs.FileMode(r.in.Umask), Origin: from,
	})
	if err == nil && d.Form == pdbsession.Private {
		r.p.log.Warn().Str("object", r.compile.Outputs[0].Path).Str("reason", d.Reason).Str("detail", d.Detail).
			Msg("an object keeps a program database of its own")
	}
	r.database.merged = err == nil && d.Form == pdbsession.Merged
	return d, err
}

// touched lists the database that a compile of calls has types in: the compiler would have
// written to it by itself, and build tools look whether it is younger than the sources.
func touched(calls ...*request) []string {
	var list []string
	for _, r := range calls {
		if r.database != nil && r.database.merged && !slices.Contains(list, r.database.Path) {
			list = append(list, r.database.Path)
		}
	}
	return list
}

// placePrivate prepares what the run x has made of its own to be put in place by the
// wrapper. It blocks until the shared database is on disk.
func (r *request) placePrivate(x *run) ([]wire.File, error) {
	if failed := x.ran.Status != 0 || x.ran.Signal != 0; failed && r.part == 0 {
		return nil, nil
	}
	pair, err := r.capturePrivate()
	if err != nil {
		x.reason = err // the compiler made none: neither do we
		return nil, nil
	}
	object, private := pairOf(pair)
	key := ""
	if private != nil {
		key = digest.Of(private).String()
	}
	d, err := r.deliver(object, key, func() ([]byte, error) {
		if private == nil {
			return nil, errNoDatabase
		}
		return private, nil
	}, nil)
	if err != nil {
		x.reason = toolchains.Unsupported("database-mismatch", err.Error())
		d = &pdbsession.Delivery{Object: object}
	}
	items := r.deliveredItems(nil, d)
	files, temps := filesOf(items)
	if err := r.conv.Prepare(temps); err != nil {
		return nil, err
	}
	if _, err := r.write(items); err != nil {
		materialize.Remove(temps)
		return nil, err
	}
	x.files = append(x.files, pair...)
	x.placed = items
	return files, nil
}

// deliveredItems adds the files of d to items, the object last.
func (r *request) deliveredItems(items []item, d *pdbsession.Delivery) []item {
	add := func(role toolchains.Role, target string, data []byte) {
		it := item{role: role, target: target, data: data, digest: digest.Of(data), temp: r.temp(target, len(items))}
		it.mode = materialize.Mode(false, materialize.Absent, 0, r.in.Umask, false)
		items = append(items, it)
	}
	if d.PDB != nil {
		add(toolchains.RolePDB, d.PDBPath, d.PDB)
	}
	add(toolchains.RoleObject, r.call.Abs(r.compile.Outputs[0].Path), d.Object)
	return items
}

// storedPair is object and database of a stored result, the latter to be read when it is
// wanted, under the key by which the session knows it.
func (r *request) storedPair(res *Result) (object []byte, key string, database func() ([]byte, error), err error) {
	blob := func(d digest.Digest) ([]byte, error) {
		if data, ok := res.held[d]; ok {
			return data, nil
		}
		return r.p.store.Blob(d)
	}
	database = func() ([]byte, error) { return nil, errNoDatabase }
	if o := res.output(toolchains.RolePDB); o != nil {
		key, database = o.Digest.String(), func() ([]byte, error) { return blob(o.Digest) }
	}
	object, err = blob(res.output(toolchains.RoleObject).Digest)
	return object, key, database, err
}

// mergedItems adds those of a stored pair to items. It returns nil where it cannot serve.
func (r *request) mergedItems(items []item, res *Result) []item {
	object, key, database, err := r.storedPair(res)
	if err != nil {
		return nil
	}
	d, err := r.deliver(object, key, database, r.originOf(res))
	if err != nil {
		return nil // to be compiled again
	}
	return r.deliveredItems(items, d)
}
