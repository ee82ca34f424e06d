package client

import (
	"context"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// metadataHeader is prescribed by remote_execution.proto, RequestMetadata.
const metadataHeader = "build.bazel.remote.execution.v2.requestmetadata-bin"

// A Metadata tells a server, for its logs and pages, on whose behalf a call is
// made. It never changes an answer.
type Metadata struct {
	ToolName, ToolVersion string
	InvocationID          string // one build
	CorrelatedID          string // builds that belong together
	ActionID              string // the hash of an Action's digest
	Mnemonic              string // the kind of action, such as CppCompile
	TargetID              string // what is made
	ConfigurationID       string
}

type metadataKey struct{}

// WithMetadata returns a context whose calls bear m instead of what the
// connection was dialled with; fields that are empty in m are taken from ctx's
// own Metadata, or the connection's.
func WithMetadata(ctx context.Context, m Metadata) context.Context {
	if outer, ok := ctx.Value(metadataKey{}).(Metadata); ok {
		m = m.or(outer)
	}
	return context.WithValue(ctx, metadataKey{}, m)
}

// or returns m with its empty fields filled from other.
func (m Metadata) or(other Metadata) Metadata {
	mine := m.fields()
	for i, theirs := range other.fields() {
		if *mine[i] == "" {
			*mine[i] = *theirs
		}
	}
	return m
}

func (m *Metadata) fields() []*string {
	return []*string{&m.ToolName, &m.ToolVersion, &m.InvocationID, &m.CorrelatedID, &m.ActionID, &m.Mnemonic, &m.TargetID, &m.ConfigurationID}
}

// attach returns ctx with the header. headers are pairs that go with it.
func (m Metadata) attach(ctx context.Context, headers []string) context.Context {
	if inner, ok := ctx.Value(metadataKey{}).(Metadata); ok {
		m = inner.or(m)
	}
	blob, err := proto.Marshal(&repb.RequestMetadata{
		ToolDetails:             &repb.ToolDetails{ToolName: m.ToolName, ToolVersion: m.ToolVersion},
		ActionId:                m.ActionID,
		ToolInvocationId:        m.InvocationID,
		CorrelatedInvocationsId: m.CorrelatedID,
		ActionMnemonic:          m.Mnemonic,
		TargetId:                m.TargetID,
		ConfigurationId:         m.ConfigurationID,
	})
	pairs := slices.Clone(headers)
	if err == nil { // else some field is no UTF-8: the call goes without
		pairs = append(pairs, metadataHeader, string(blob))
	}
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}
