package admin

import (
	"context"

	"github.com/rexwrap/rexwrap/localserver/journal"
)

// A Service is what the local server does for its users. Implementations are
// safe for concurrent use. Errors that wrap ErrNotFound or ErrUsage keep their
// kind on the way to the Client.
type Service interface {
	Controller
	Recorder
	Cache
	Inspector
	Sessions
}

// A Controller is the server as a process.
type Controller interface {
	Status(ctx context.Context) (*Status, error)
	// Stop makes the server drain; the reply is sent before it ends.
	Stop(ctx context.Context) error
	// Flush returns when every call that has ended is recorded.
	Flush(ctx context.Context) (*Flushed, error)
}

// A Recorder serves the journal. RecordsOf implements it.
type Recorder interface {
	Stats(ctx context.Context) (*journal.Stats, error)
	Zero(ctx context.Context) error
	Explain(ctx context.Context, req *ExplainRequest) (*journal.Explanation, error)
	ExplainBuild(ctx context.Context, req *ExplainBuildRequest) (*journal.BuildReport, error)
	// Headers ranks what compiles read by what it costs to change it.
	Headers(ctx context.Context, req *HeadersRequest) (*journal.HeaderReport, error)
	// Log calls emit for each record until it fails or the log is over.
	Log(ctx context.Context, req *LogRequest, emit func(*journal.Entry) error) error
}

// A Cache is the store behind the server. The report functions may be called
// as often as is convenient; an error of theirs ends the work.
type Cache interface {
	CacheSize(ctx context.Context) (*CacheSize, error)
	CacheClear(ctx context.Context, report func(Progress) error) (*Removed, error)
	CacheVerify(ctx context.Context, report func(Progress) error) (*CacheVerified, error)
	CacheEvict(ctx context.Context, req *EvictRequest, report func(Progress) error) (*Removed, error)
	// CacheFlush returns when all that was captured is on disk and all
	// uploads are done.
	CacheFlush(ctx context.Context, report func(Progress) error) (*Flushed, error)
}

// Sessions are the program databases that the server writes.
type Sessions interface {
	SessionList(ctx context.Context) (*SessionList, error)
	// SessionSeal closes the sessions whose database is at one of the paths or
	// below, all of them where there is none.
	SessionSeal(ctx context.Context, req *SealRequest) (*Sealed, error)
}

// An Inspector looks at one call or Action without running anything.
type Inspector interface {
	Scan(ctx context.Context, req *CallRequest) (*ScanReply, error)
	Action(ctx context.Context, req *ActionRequest) (*ActionReply, error)
}
