package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/localserver/materialize"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A call of cl.exe or clang-cl may have several sources. Each is looked up by itself. Where
// all hit they are answered together; else the call is run as it is, with /MP in its own
// way, and the results are stored one by one, as far as it can be told what was said of
// which source.

// A splitter is a Family whose calls may have several sources.
type splitter interface {
	Members(call *toolchains.Call) ([]*toolchains.Call, error)
}

// reasonSeveral is the one by which such families refuse to parse such calls.
const reasonSeveral = "several-sources"

// A held answer is one that waits for those of the other members.
type held struct {
	done  *wire.Done
	items []item
}

// parts are the compiles of the call.
func (r *request) parts() []*request {
	if r.members != nil {
		return r.members
	}
	return []*request{r}
}

// serveSeveral serves a call that could not be understood as one compile, because of why.
func (r *request) serveSeveral(ctx context.Context, why error) error {
	if reason, _, _ := toolchains.ReasonOf(why); reason != reasonSeveral {
		return r.stepAside(why)
	}
	members, err := r.split(ctx)
	if err != nil {
		return r.stepAside(err)
	}
	r.members = members
	var leads leads
	defer func() { leads.leave() }()
	hit, err := r.lookUpMembers(ctx, &leads)
	if !hit && err == nil {
		err = r.runMembers(ctx)
	}
	if _, _, ok := toolchains.ReasonOf(err); ok {
		r.members = nil
		return r.stepAside(err)
	}
	return err
}

// split understands each member.
func (r *request) split(ctx context.Context) ([]*request, error) {
	tc, err := r.p.o.Resolver.Resolve(ctx, r.call)
	if err != nil {
		return nil, err
	}
	family, ok := r.p.o.Family(tc.Family, r.settings).(splitter)
	if !ok {
		return nil, toolchains.Unsupported(reasonSeveral, "")
	}
	calls, err := family.Members(r.call)
	if err != nil {
		return nil, err
	}
	members := make([]*request, len(calls))
	for i, call := range calls {
		m := newRequest(r.p, r.in, r.conv)
		m.call, m.part = call, i+1
		if err := m.understand(ctx); err != nil {
			return nil, err
		}
		members[i] = m
	}
	return members, distinctMembers(members)
}

// distinctMembers refuses members that write one file.
func distinctMembers(members []*request) error {
	seen := map[string]bool{}
	for _, m := range members {
		for _, o := range m.compile.Outputs {
			path := filepath.Clean(m.call.Abs(o.Path))
			if seen[path] {
				return toolchains.Unsupported("same-output", o.Path)
			}
			seen[path] = true
		}
	}
	return nil
}

// leads are those that a call has over others; see merge.
type leads []func()

func (l leads) leave() {
	for _, leave := range l {
		leave()
	}
}

// find looks one member up, also among those that are under way elsewhere, and in the
// remote's caches. Whoever leads waits for nobody: two calls could wait for each other.
func (l *leads) find(ctx context.Context, m *request) (bool, error) {
	ended := m.p.inflight.ended()
	if hit, err := m.lookUp(); hit || err != nil {
		return hit, err
	}
	wait, cancel := context.WithCancel(ctx)
	defer cancel()
	if len(*l) > 0 {
		cancel()
	}
	leave, merged, err := m.merge(wait, ended)
	if leave != nil {
		*l = append(*l, leave)
	}
	if merged || err != nil {
		return merged, err
	}
	m.far.remote = m.p.remote(m.settings)
	return m.lookUpRemote(ctx)
}

// lookUpMembers answers from the cache if that has all members.
func (r *request) lookUpMembers(ctx context.Context, leads *leads) (bool, error) {
	var done wire.Done
	all := true
	var err error
	for _, m := range r.members {
		hit := false
		if hit, err = leads.find(ctx, m); err != nil {
			all = false
			break
		}
		if all = all && hit; !all {
			continue
		}
		done.Files = append(done.Files, m.held.done.Files...)
		done.Chunks = append(done.Chunks, m.held.done.Chunks...)
		done.Remove = append(done.Remove, m.held.done.Remove...)
		m.record.Outcome = cmp.Or(m.far.outcome, journal.HitLocal)
	}
	if all && err == nil {
		done.Touch = touched(r.members...)
		err = r.conv.Done(&done)
	}
	for _, m := range r.members {
		switch {
		case m.held == nil:
		case all && err == nil:
			m.recordItems(m.held.items)
		default:
			_, temps := filesOf(m.held.items)
			materialize.Remove(temps)
			m.held = nil
		}
	}
	return all, err
}

// runMembers has the wrapper run the call, and stores what it made of each source.
func (r *request) runMembers(ctx context.Context) error {
	folder := filepath.Join(r.p.o.Scratch, r.in.Token)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return toolchains.Unsupported("scratch", err.Error())
	}
	defer removeTree(folder)
	command, runs, err := r.prepareMembers(ctx, folder)
	if err != nil {
		return err
	}
	ran, err := r.conv.Run(ctx, command)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	files, err := r.collectMembers(ctx, runs, ran)
	if err != nil {
		return err
	}
	if err := r.conv.Done(&wire.Done{Files: files, Touch: touched(r.members...)}); err != nil {
		return err
	}
	for i, m := range r.members {
		m.recordItems(runs[i].placed)
		m.record.Outcome = journal.ExecutedLocal
		m.recordOutcome(m.store(ctx, runs[i]))
	}
	return nil
}

// prepareMembers says how the call is run.
func (r *request) prepareMembers(ctx context.Context, folder string) (*wire.Run, []*run, error) {
	argv, env := r.call.Argv, []string(nil)
	if r.members[0].database != nil {
		var err error
		if argv, err = r.shareDatabase(folder); err != nil {
			return nil, nil, err
		}
		env = r.privateEnv()
	}
	compiles := make([]*toolchains.Compile, len(r.members))
	for i, m := range r.members {
		compiles[i] = m.compile
	}
	for _, m := range r.members {
		if m.restated && r.members[0].database == nil {
			return nil, nil, toolchains.Unsupported(reasonSeveral, "") // not worth a third way
		}
	}
	whole, plans, err := r.p.o.Asker.PlanSeveral(compiles, argv, folder)
	if err != nil {
		return nil, nil, err
	}
	runs := make([]*run, len(r.members))
	for i, m := range r.members {
		m.noteBefore()
		if in, err := m.scanned(ctx); err == nil {
			runs[i] = &run{inputs: in, mark: m.quiesce(in)}
		} else {
			runs[i] = &run{plan: plans[i], mark: m.quiesce(nil)}
		}
	}
	return &wire.Run{Program: r.call.Program, Argv: whole.Argv, Env: append(slices.Clone(whole.Env), env...)}, runs, nil
}

// shareDatabase has the whole call run with one database of its own: a compiler that is
// given several sources writes only one.
func (r *request) shareDatabase(folder string) ([]string, error) {
	first := r.members[0]
	file := filepath.Join(folder, filepath.Base(first.database.file))
	for _, m := range r.members {
		m.database.folder, m.database.file = folder, file
		m.database.object = filepath.Join(folder, filepath.Base(m.database.object))
	}
	words, err := first.database.family.PrivateDatabase(first.compile, folder+separator, file)
	if err != nil {
		return nil, err
	}
	for _, m := range r.members[1:] {
		for i := range m.compile.Args {
			if a := &m.compile.Args[i]; a.Class.Has(argtable.Source) {
				words = append(words, a.Words()...)
			}
		}
	}
	return append([]string{r.call.Argv[0]}, words...), nil
}

// collectMembers reads what the run has left of each member, and returns what the wrapper
// is to put in place.
func (r *request) collectMembers(ctx context.Context, runs []*run, ran *wire.Ran) ([]wire.File, error) {
	chunks, told := r.chunksOf(ran.Chunks)
	var files []wire.File
	for i, m := range r.members {
		x := runs[i]
		own := *ran
		own.Chunks = chunks[i]
		n := int64(len(r.members))
		own.UserTime, own.SysTime, own.WallTime = own.UserTime/n, own.SysTime/n, own.WallTime/n
		x.ran = &own
		m.record.Status, m.record.Signal, m.record.Spent = own.Status, own.Signal, costOf(&own).journal()
		m.collect(ctx, x)
		if !told && x.reason == nil {
			x.reason = toolchains.Unsupported("several-sources-messages", "")
		}
		if m.database == nil {
			continue
		}
		placed, err := m.placePrivate(x)
		if err != nil {
			return nil, err
		}
		files = append(files, placed...)
	}
	return files, nil
}

// chunksOf says what was said of which source. It reports false where that cannot be told:
// cl.exe names each source on a line of its own, but not whose code it complains of later.
func (r *request) chunksOf(chunks []wire.Chunk) ([][]wire.Chunk, bool) {
	own := make([][]wire.Chunk, len(r.members))
	if len(chunks) == 0 {
		return own, true
	}
	var text []byte
	for _, c := range chunks {
		text = append(text, c.Data...)
	}
	rest := text
	for i, m := range r.members {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		if !m.compile.Microsoft.Echo || string(bytes.TrimSuffix(line, []byte("\r"))) != filepath.Base(m.compile.Source) {
			return own, false
		}
		own[i] = []wire.Chunk{{Fd: chunks[0].Fd, Data: append(bytes.Clone(line), '\n')}}
		rest = after
	}
	return own, len(rest) == 0
}
