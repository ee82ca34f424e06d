package remote

import (
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// A Cost is what an execution took and who did it, as far as results say.
type Cost struct {
	Started         time.Time
	Wall, User, Sys time.Duration
	MaxRSS          int64         // bytes
	Queued          time.Duration // before a worker took it
	Worker          string
}

// resourceUsage is the type of Buildbarn's POSIXResourceUsage, which mettle
// sends too (bb-remote-execution, pkg/proto/resourceusage). Of its fields these
// are used:
//
//	user_time = 1, system_time = 2: google.protobuf.Duration
//	maximum_resident_set_size = 3: int64, bytes
const resourceUsage = "type.googleapis.com/buildbarn.resourceusage.POSIXResourceUsage"

const (
	usageUser   = 1
	usageSystem = 2
	usageMaxRSS = 3

	durationSeconds = 1
	durationNanos   = 2
)

// metadata returns c as a result tells it.
func (c Cost) metadata(worker string) *repb.ExecutedActionMetadata {
	usage := appendDuration(nil, usageUser, c.User)
	usage = appendDuration(usage, usageSystem, c.Sys)
	usage = protowire.AppendTag(usage, usageMaxRSS, protowire.VarintType)
	usage = protowire.AppendVarint(usage, uint64(c.MaxRSS))
	started, ended := timestamppb.New(c.Started), timestamppb.New(c.Started.Add(c.Wall))
	return &repb.ExecutedActionMetadata{
		Worker: worker, WorkerStartTimestamp: started, ExecutionStartTimestamp: started,
		ExecutionCompletedTimestamp: ended, WorkerCompletedTimestamp: ended,
		VirtualExecutionDuration: durationpb.New(c.Wall),
		AuxiliaryMetadata:        []*anypb.Any{{TypeUrl: resourceUsage, Value: usage}},
	}
}

func appendDuration(b []byte, field protowire.Number, d time.Duration) []byte {
	var text []byte
	text = protowire.AppendTag(text, durationSeconds, protowire.VarintType)
	text = protowire.AppendVarint(text, uint64(d/time.Second))
	text = protowire.AppendTag(text, durationNanos, protowire.VarintType)
	text = protowire.AppendVarint(text, uint64(d%time.Second))
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), text)
}

// CostOf reads what m says. m may be nil, and may lie: nothing but listings
// rests on it.
func CostOf(m *repb.ExecutedActionMetadata) Cost {
	c := Cost{Worker: m.GetWorker()}
	if s := m.GetExecutionStartTimestamp(); s != nil {
		c.Started = s.AsTime()
		c.Wall = between(s, m.GetExecutionCompletedTimestamp())
	}
	c.Queued = between(m.GetQueuedTimestamp(), m.GetWorkerStartTimestamp())
	for _, a := range m.GetAuxiliaryMetadata() {
		if a.GetTypeUrl() == resourceUsage {
			c.readUsage(a.GetValue())
		}
	}
	return c
}

// between returns 0 where a time is missing or clocks differ.
func between(from, to *timestamppb.Timestamp) time.Duration {
	if from == nil || to == nil {
		return 0
	}
	return max(0, to.AsTime().Sub(from.AsTime()))
}

func (c *Cost) readUsage(b []byte) {
	fields(b, func(field protowire.Number, value []byte, number uint64) {
		switch field {
		case usageUser:
			c.User = decodeDuration(value)
		case usageSystem:
			c.Sys = decodeDuration(value)
		case usageMaxRSS:
			c.MaxRSS = int64(number)
		}
	})
}

func decodeDuration(b []byte) time.Duration {
	var d time.Duration
	fields(b, func(field protowire.Number, _ []byte, number uint64) {
		switch field {
		case durationSeconds:
			d += time.Duration(number) * time.Second
		case durationNanos:
			d += time.Duration(number)
		}
	})
	return d
}

// fields walks a message, up to what is malformed.
func fields(b []byte, each func(field protowire.Number, value []byte, number uint64)) {
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		var value []byte
		var number uint64
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return
		}
		each(field, value, number)
		b = b[n:]
	}
}
