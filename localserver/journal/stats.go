package journal

// StatsSchema is the schema_version of Stats. It changes when a key changes its
// meaning or goes; new keys do not change it.
const StatsSchema = 1

// Stats are the totals since they were last zeroed. The JSON keys are stable.
type Stats struct {
	SchemaVersion  int   `json:"schema_version"`
	Since          int64 `json:"since"` // seconds since 1970
	Calls          int64 `json:"calls"`
	HitsLocal      int64 `json:"hits_local"`
	HitsRemote     int64 `json:"hits_remote"`
	Merged         int64 `json:"merged"`
	Misses         int64 `json:"misses"`
	ExecutedLocal  int64 `json:"executed_local"`
	ExecutedRemote int64 `json:"executed_remote"`
	SteppedAside   int64 `json:"stepped_aside"`
	FellBack       int64 `json:"fell_back"`
	Errors         int64 `json:"errors"`
	BytesStored    int64 `json:"bytes_stored"`
	// Reasons count why calls stepped aside, fell back or failed,
	// NotStored why the results of misses were not stored.
	Reasons     map[string]int64 `json:"reasons"`
	NotStored   map[string]int64 `json:"not_stored"`
	TimeAvoided float64          `json:"time_avoided_seconds"`
	// TimeSpent is the wall time of the compilers that ran.
	TimeSpent float64 `json:"time_spent_seconds"`
	// MissCauses are sorted by the time they cost, the dearest first.
	MissCauses []CauseCount `json:"miss_causes"`
	// VerifyRuns and VerifyDifferences count what the setting verify did.
	VerifyRuns        int64 `json:"verify_runs"`
	VerifyDifferences int64 `json:"verify_differences"`
	// Dropped counts records that were not written, for lack of time.
	Dropped int64 `json:"records_dropped"`

	// Databases count, since the server's start, what became of objects that
	// share a program database: "merged", and by reason those that did not.
	Databases map[string]int64 `json:"databases,omitempty"`

	// Crates are those that were no hits, as Journal.Crates has them, since then.
	Crates []CrateLine `json:"crates,omitempty"`

	CacheSize  int64 `json:"cache_size"`  // bytes on disk
	CacheLimit int64 `json:"cache_limit"` // bytes
	Entries    int64 `json:"entries"`
	// Warnings are what a user must know before trusting the numbers: a
	// bad setting, keys of a project file that are not trusted.
	Warnings []string `json:"warnings"`
}

// CauseCount is one cause of misses with what they cost.
type CauseCount struct {
	Cause   Cause   `json:"cause"`
	Count   int64   `json:"count"`
	Seconds float64 `json:"seconds"`
}
