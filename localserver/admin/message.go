package admin

// Status is the reply to VerbStatus. The JSON keys are stable.
type Status struct {
	PID          int     `json:"pid"`
	Version      string  `json:"version"`
	FrameVersion uint32  `json:"frame_version"`
	Uptime       float64 `json:"uptime"` // seconds
	RSS          int64   `json:"rss"`    // bytes
	CacheDir     string  `json:"cache_dir"`
	CacheSize    int64   `json:"cache_size"`  // bytes on disk
	CacheLimit   int64   `json:"cache_limit"` // bytes
	Socket       string  `json:"socket"`
	Namespace    string  `json:"namespace,omitempty"`
	Running      int     `json:"running"`       // compiles under way
	IdleExit     float64 `json:"idle_exit"`     // seconds; 0 for never
	LastRecord   string  `json:"last_record"`   // id, empty for none
	Draining     bool    `json:"draining"`      // stopping
	CacheUsable  bool    `json:"cache_usable"`  // false: every call steps aside
	CacheProblem string  `json:"cache_problem"` // why not
	// Warnings are bad settings and the like, one line each.
	Warnings []string `json:"warnings"`
}

// ExplainRequest is the request of VerbExplain; the reply is a
// journal.Explanation. Without a target the last record is explained.
type ExplainRequest struct {
	// Target is a record's id, a crate's name, or the path of an output; relative paths
	// are below Dir.
	Target string `json:"target,omitempty"`
	Dir    string `json:"dir,omitempty"`
}

// ExplainBuildRequest is the request of VerbExplainBuild; the reply is a
// journal.BuildReport. Without a build's id the last build is explained.
type ExplainBuildRequest struct {
	Build string `json:"build,omitempty"`
}

// LogRequest is the request of VerbLog; the reply is a stream of journal.Entry,
// the oldest first, ended by an empty reply.
type LogRequest struct {
	// Count is how many of the latest records come first.
	Count int `json:"count"`
	// Follow keeps the stream open for records to come.
	Follow bool `json:"follow,omitempty"`
}

// EvictRequest is the request of VerbCacheEvict. Exactly one field is set.
type EvictRequest struct {
	// OlderThan evicts what was not used for so many seconds.
	OlderThan float64 `json:"older_than,omitempty"`
	// ToBytes evicts the least recently used until the cache is as small.
	ToBytes *int64 `json:"to_bytes,omitempty"`
}

// Removed is the reply to VerbCacheClear and VerbCacheEvict, after a stream of
// Progress.
type Removed struct {
	Entries int64 `json:"entries"`
	Bytes   int64 `json:"bytes"`
}

// CacheSize is the reply to VerbCacheSize.
type CacheSize struct {
	Bytes int64 `json:"bytes"` // on disk, the index included
	Limit int64 `json:"limit"`
	// Index is the part of Bytes that holds no blobs.
	Index   int64  `json:"index_bytes"`
	Entries int64  `json:"entries"`
	Blobs   int64  `json:"blobs"`
	Dir     string `json:"dir"`
}

// CacheVerified is the reply to VerbCacheVerify, after a stream of Progress.
type CacheVerified struct {
	Checked int64 `json:"checked"`
	Corrupt int64 `json:"corrupt"` // dropped
	Bytes   int64 `json:"bytes"`
}

// Flushed is the reply to VerbFlush and VerbCacheFlush.
type Flushed struct {
	// Pending is what could not be written in time.
	Pending int64 `json:"pending"`
}

// SessionList is the reply to VerbSessionList.
type SessionList struct {
	Sessions []Session `json:"sessions"`
	// Objects counts what became of objects since the server's start: "merged",
	// and by the reason why others keep databases of their own.
	Objects map[string]int64 `json:"objects"`
}

// Session is one program database that is open, or one that was verified.
type Session struct {
	Path  string `json:"path"`
	GUID  string `json:"guid"`
	Age   uint32 `json:"age"`
	Types int    `json:"types"`
	Items int    `json:"items"`
	Bytes int64  `json:"bytes"`
	// Members is how many compiles it has had since it was opened.
	Members int `json:"members"`
}

// SealRequest is the request of VerbSessionSeal. Paths are absolute.
type SealRequest struct {
	Paths []string `json:"paths"`
}

// Sealed is the reply to VerbSessionSeal.
type Sealed struct {
	Sessions int `json:"sessions"`
}

// Progress is an element of the streams of long verbs.
type Progress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"` // 0 while unknown
}

// CallRequest is the request of VerbScan: one call of a compiler.
type CallRequest struct {
	Argv []string `json:"argv"`
	Dir  string   `json:"dir"`
	Env  []string `json:"env"`
}

// ScanReply is the reply to VerbScan.
type ScanReply struct {
	Scanner string `json:"scanner"` // "cpp" or "ask"
	// Files are the inputs in the order the compiler opens them.
	Files     []ScannedFile `json:"files"`
	Absent    []string      `json:"absent"`
	Fallbacks []string      `json:"fallbacks,omitempty"`
}

// ScannedFile is one file of a ScanReply.
type ScannedFile struct {
	Path   string `json:"path"`
	Digest string `json:"digest"`
	System bool   `json:"system,omitempty"`
	// Probed is set for files that are looked at but not read as text.
	Probed bool `json:"probed,omitempty"`
}

// HeadersRequest is the request of VerbHeaders.
type HeadersRequest struct {
	// Dir is the absolute directory that headers must be in; empty for all.
	Dir string `json:"dir,omitempty"`
}

// ActionRequest is the request of VerbAction.
type ActionRequest struct {
	// Digest is an Action digest, HASH/SIZE or an unambiguous hash, or a
	// record's id.
	Digest string `json:"digest"`
}

// ActionReply is the reply to VerbAction.
type ActionReply struct {
	Digest      string            `json:"digest"`
	Arguments   []string          `json:"arguments,omitempty"`
	Environment map[string]string `json:"environment,omitempty"`
	WorkingDir  string            `json:"working_directory,omitempty"`
	OutputPaths []string          `json:"output_paths,omitempty"`
	InputRoot   string            `json:"input_root,omitempty"`
	Inputs      []InputFile       `json:"inputs,omitempty"`
	// Result is nil where the cache holds none.
	Result *ActionResult `json:"result,omitempty"`
}

// ActionResult is what the cache holds for an Action.
type ActionResult struct {
	ExitCode int32        `json:"exit_code"`
	Outputs  []OutputFile `json:"outputs"`
	Stdout   string       `json:"stdout,omitempty"`
	Stderr   string       `json:"stderr,omitempty"`
	Seconds  float64      `json:"seconds,omitempty"`
	Worker   string       `json:"worker,omitempty"`
}

// InputFile is one file or symbolic link of an InputRoot.
type InputFile struct {
	Path   string `json:"path"`
	Digest string `json:"digest,omitempty"`
	Target string `json:"target,omitempty"`
}

// OutputFile is one file of an ActionResult.
type OutputFile struct {
	Path   string `json:"path"`
	Digest string `json:"digest"`
}
