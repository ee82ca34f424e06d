package localserver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/diskstore"
	"github.com/rexwrap/rexwrap/localserver/pdbsession"
	"github.com/rexwrap/rexwrap/localserver/remote"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// ErrStopped is the cause of a Server's end by `rexwrap server stop`.
var ErrStopped = errors.New("stopped on request")

// A Scanner finds the inputs of a call without answering it; it is implemented
// by pipeline.Pipeline.
type Scanner interface {
	// Inputs returns what call reads, and the name of the scanner that
	// found it.
	Inputs(ctx context.Context, call *toolchains.Call) (in *depscan.Inputs, by string, err error)
	// Forget drops what is held in memory about stored entries.
	Forget()
}

// A Service answers the management verbs that concern the server, its cache and
// its scanner; the Recorder answers those of the journal. It implements
// admin.Service and is safe for concurrent use.
type Service struct {
	admin.Recorder
	Server  *Server
	Store   *diskstore.Store
	Scanner Scanner
	// Flushed returns when every record is stored.
	FlushRecords func() error
	Remotes      *remote.Pool
	Sessions     *pdbsession.Sessions
	// LastRecord is the id of the newest record, empty for none.
	LastRecord func() string
	// Warnings are what users should know of the settings.
	Warnings func() []string
	Version  string
	CacheDir string
	Socket   string
	Started  time.Time
}

var _ admin.Service = (*Service)(nil)

// Status implements admin.Controller.
func (s *Service) Status(context.Context) (*admin.Status, error) {
	stats := s.Store.Stats()
	status := &admin.Status{
		PID: os.Getpid(), Version: s.Version, FrameVersion: wire.Version,
		Uptime: time.Since(s.Started).Seconds(), RSS: residentBytes(),
		CacheDir: s.CacheDir, CacheSize: stats.Bytes, CacheLimit: stats.Limit,
		Socket: s.Socket, Namespace: s.Server.o.Namespace, Running: s.Server.Running(),
		IdleExit: s.Server.o.IdleExit().Seconds(), LastRecord: s.LastRecord(),
		CacheUsable: true, CacheProblem: s.Store.Rebuilt(), Warnings: s.Warnings(),
	}
	return status, nil
}

// residentBytes is the resident set of this process, or what the Go runtime
// holds where the system does not tell.
func residentBytes() int64 {
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			if pages, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				return pages * int64(os.Getpagesize())
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

// Stop implements admin.Controller. The server ends after the reply, as the
// connection that asks is waited for.
func (s *Service) Stop(context.Context) error {
	s.Server.Stop(ErrStopped)
	return nil
}

// Flush implements admin.Controller. It waits for uploads too, for as long as
// the client does.
func (s *Service) Flush(ctx context.Context) (*admin.Flushed, error) {
	err := errors.Join(s.FlushRecords(), s.Store.Flush())
	return &admin.Flushed{Pending: int64(s.Remotes.Flush(ctx))}, err
}

// CacheSize implements admin.Cache.
func (s *Service) CacheSize(context.Context) (*admin.CacheSize, error) {
	st := s.Store.Stats()
	return &admin.CacheSize{
		Bytes: st.Bytes, Limit: st.Limit, Index: st.Index, Entries: st.Results, Blobs: st.Blobs, Dir: s.CacheDir,
	}, nil
}

// CacheClear implements admin.Cache.
func (s *Service) CacheClear(_ context.Context, report func(admin.Progress) error) (*admin.Removed, error) {
	before := s.Store.Stats()
	if err := s.Store.Clear(); err != nil {
		return nil, err
	}
	s.Scanner.Forget()
	removed := &admin.Removed{Entries: before.Results, Bytes: before.Bytes - s.Store.Stats().Bytes}
	return removed, report(admin.Progress{Done: removed.Entries, Total: removed.Entries})
}

// CacheVerify implements admin.Cache.
func (s *Service) CacheVerify(ctx context.Context, report func(admin.Progress) error) (*admin.CacheVerified, error) {
	v := &admin.CacheVerified{}
	var err error
	v.Corrupt, err = s.Store.Verify(func(done, total int64) {
		v.Checked = done
		if done%64 == 0 && ctx.Err() == nil {
			_ = report(admin.Progress{Done: done, Total: total}) // the reply fails too
		}
	})
	v.Bytes = s.Store.Stats().Bytes
	return v, err
}

// CacheEvict implements admin.Cache.
func (s *Service) CacheEvict(_ context.Context, req *admin.EvictRequest, _ func(admin.Progress) error) (*admin.Removed, error) {
	var before time.Time
	bytes := int64(-1)
	if req.OlderThan > 0 {
		before = time.Now().Add(-time.Duration(req.OlderThan * float64(time.Second)))
	}
	if req.ToBytes != nil {
		bytes = *req.ToBytes
	}
	results := s.Store.Stats().Results
	_, freed, err := s.Store.Evict(before, bytes)
	s.Scanner.Forget()
	return &admin.Removed{Entries: max(0, results-s.Store.Stats().Results), Bytes: freed}, err
}

// CacheFlush implements admin.Cache.
func (s *Service) CacheFlush(ctx context.Context, _ func(admin.Progress) error) (*admin.Flushed, error) {
	return s.Flush(ctx)
}

// SessionList implements admin.Sessions.
func (s *Service) SessionList(context.Context) (*admin.SessionList, error) {
	list := &admin.SessionList{Sessions: []admin.Session{}}
	for _, status := range s.Sessions.List() {
		list.Sessions = append(list.Sessions, SessionOf(&status))
	}
	merged, private := s.Sessions.Counts()
	private["merged"] = merged
	list.Objects = private
	return list, nil
}

// SessionOf returns a program database as verbs show it.
func SessionOf(s *pdbsession.Status) admin.Session {
	return admin.Session{
		Path: s.Path, GUID: s.GUID.String(), Age: s.Age, Types: s.Types, Items: s.Items, Bytes: s.Bytes, Members: s.Members,
	}
}

// SessionSeal implements admin.Sessions.
func (s *Service) SessionSeal(_ context.Context, req *admin.SealRequest) (*admin.Sealed, error) {
	fits := func(path string) bool {
		return len(req.Paths) == 0 || slices.ContainsFunc(req.Paths, func(want string) bool {
			return path == want || strings.HasPrefix(path, strings.TrimRight(want, string(filepath.Separator))+string(filepath.Separator))
		})
	}
	return &admin.Sealed{Sessions: s.Sessions.Seal(fits)}, nil
}

// Scan implements admin.Inspector.
func (s *Service) Scan(ctx context.Context, req *admin.CallRequest) (*admin.ScanReply, error) {
	if len(req.Argv) == 0 {
		return nil, admin.Errorf(admin.ErrUsage, "scan needs a compiler call")
	}
	call := &toolchains.Call{Program: req.Argv[0], Argv: req.Argv, Dir: req.Dir, Env: req.Env}
	in, by, err := s.Scanner.Inputs(ctx, call)
	if err != nil {
		return nil, err
	}
	reply := &admin.ScanReply{Scanner: by, Absent: in.Absent, Fallbacks: in.Fallbacks}
	for _, f := range in.Files {
		reply.Files = append(reply.Files, admin.ScannedFile{Path: f.Path, Digest: f.Digest.String(), System: f.System})
	}
	for _, f := range in.Probed {
		reply.Files = append(reply.Files, admin.ScannedFile{Path: f.Path, Digest: f.Digest.String(), Probed: true})
	}
	return reply, nil
}

// Action implements admin.Inspector.
func (s *Service) Action(ctx context.Context, req *admin.ActionRequest) (*admin.ActionReply, error) {
	d, err := digest.Parse(req.Digest)
	if err != nil {
		return nil, admin.Errorf(admin.ErrUsage, "%v; `rexwrap explain --json` shows the digest of a record", err)
	}
	return s.action(ctx, d)
}
