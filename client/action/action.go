// Package action makes REv2 Actions: the canonical encoding of a Command and of
// an Action over an InputRoot, and so the digest by which a result is known,
// locally and on any server. Equal compiles have equal encodings: environment
// and platform properties are sorted, output paths too, nothing is left to the
// caller's order but the arguments.
package action

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// A Spec is what an Action is made of.
type Spec struct {
	Arguments   []string
	Env         []string // NAME=value, in any order, no name twice
	WorkingDir  string   // relative to the input root, empty for the root itself
	OutputFiles []string // relative to WorkingDir, in any order
	OutputDirs  []string // likewise
	Platform    []Property
	InputRoot   digest.Digest
	Timeout     time.Duration   // 0 for the server's default
	Function    digest.Function // of all digests; SHA-256 unless a remote lacks it
	Format      DirectoryFormat // of OutputDirs
}

// A DirectoryFormat says how servers are to describe output directories. Those
// that do not know output_directory_format make Trees.
type DirectoryFormat uint8

// The formats of REv2.
const (
	TreeOnly DirectoryFormat = iota
	DirectoryOnly
	TreeAndDirectory
)

// A Property is one of the Platform's.
type Property struct{ Name, Value string }

// An Encoded Action is the two messages with their digests.
type Encoded struct {
	Action, Command         digest.Digest
	ActionBlob, CommandBlob []byte
}

// Encode returns the canonical encoding of s.
func Encode(s *Spec) (*Encoded, error) {
	command, err := marshal(s.command())
	if err != nil {
		return nil, fmt.Errorf("encode command: %w", err)
	}
	e := &Encoded{Command: s.Function.Of(command), CommandBlob: command}
	msg := &repb.Action{
		CommandDigest:   merkle.Proto(e.Command),
		InputRootDigest: merkle.Proto(s.InputRoot),
		Platform:        s.platform(),
	}
	if s.Timeout > 0 {
		msg.Timeout = durationpb.New(s.Timeout)
	}
	if e.ActionBlob, err = marshal(msg); err != nil {
		return nil, fmt.Errorf("encode action: %w", err)
	}
	e.Action = s.Function.Of(e.ActionBlob)
	return e, nil
}

// OutputPaths returns all declared outputs, sorted.
func (s *Spec) OutputPaths() []string {
	return slices.Sorted(slices.Values(slices.Concat(s.OutputFiles, s.OutputDirs)))
}

// command fills output_paths (REv2.1 and later) and output_files and
// output_directories (before it): servers read one and ignore the other.
func (s *Spec) command() *repb.Command {
	msg := &repb.Command{
		Arguments:         s.Arguments,
		WorkingDirectory:  s.WorkingDir,
		OutputFiles:       slices.Sorted(slices.Values(s.OutputFiles)),
		OutputDirectories: slices.Sorted(slices.Values(s.OutputDirs)),
		OutputPaths:       s.OutputPaths(),
		Platform:          s.platform(),

		OutputDirectoryFormat: repb.Command_OutputDirectoryFormat(s.Format),
	}
	for _, kv := range slices.Sorted(slices.Values(s.Env)) {
		name, value, _ := strings.Cut(kv, "=")
		msg.EnvironmentVariables = append(msg.EnvironmentVariables, &repb.Command_EnvironmentVariable{Name: name, Value: value})
	}
	return msg
}

func (s *Spec) platform() *repb.Platform {
	if len(s.Platform) == 0 {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(s.Platform), func(a, b Property) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	msg := &repb.Platform{}
	for _, p := range sorted {
		msg.Properties = append(msg.Properties, &repb.Platform_Property{Name: p.Name, Value: p.Value})
	}
	return msg
}

func marshal(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}
