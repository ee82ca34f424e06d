package action

import (
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/rexwrap/rexwrap/client/digest"
)

func spec() *Spec {
	return &Spec{
		Arguments: []string{"/usr/bin/gcc", "-c", "x.c"}, Env: []string{"B=2", "A=1"}, WorkingDir: "src",
		OutputFiles: []string{"x.o", "x.d"}, Platform: []Property{{"os", "linux"}, {"arch", "amd64"}},
		InputRoot: digest.OfString("root"),
	}
}

func encode(t *testing.T, s *Spec) *Encoded {
	t.Helper()
	e, err := Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEncodeIsCanonical(t *testing.T) {
	want := encode(t, spec())
	s := spec()
	s.Env = []string{"A=1", "B=2"}
	s.OutputFiles = []string{"x.d", "x.o"}
	s.Platform = []Property{{"arch", "amd64"}, {"os", "linux"}}
	if got := encode(t, s); got.Action != want.Action {
		t.Error("the order of environment, outputs or properties changes the digest")
	}
}

func TestEncodeRoundTrip(t *testing.T) {
	e := encode(t, spec())
	var action repb.Action
	var command repb.Command
	if err := proto.Unmarshal(e.ActionBlob, &action); err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(e.CommandBlob, &command); err != nil {
		t.Fatal(err)
	}
	if action.CommandDigest.Hash != e.Command.Hex() || digest.Of(e.CommandBlob) != e.Command || digest.Of(e.ActionBlob) != e.Action {
		t.Error("digests do not name the blobs")
	}
	if command.WorkingDirectory != "src" || len(command.OutputPaths) != 2 || command.EnvironmentVariables[0].Name != "A" {
		t.Errorf("command is %v", &command)
	}
}

func TestEveryFieldCounts(t *testing.T) {
	seen := map[digest.Digest]string{encode(t, spec()).Action: "nothing"}
	for name, change := range map[string]func(*Spec){
		"arguments": func(s *Spec) { s.Arguments[0] = "gcc" },
		"order":     func(s *Spec) { s.Arguments[1], s.Arguments[2] = s.Arguments[2], s.Arguments[1] },
		"env":       func(s *Spec) { s.Env[0] = "B=3" },
		"dir":       func(s *Spec) { s.WorkingDir = "" },
		"dirs":      func(s *Spec) { s.OutputDirs = []string{"d"} },
		"outputs":   func(s *Spec) { s.OutputFiles = s.OutputFiles[:1] },
		"platform":  func(s *Spec) { s.Platform[0].Value = "windows" },
		"root":      func(s *Spec) { s.InputRoot = digest.Empty() },
		"format":    func(s *Spec) { s.Format = TreeAndDirectory },
		"function":  func(s *Spec) { s.Function = digest.BLAKE3 },
		"timeout":   func(s *Spec) { s.Timeout = time.Second },
	} {
		s := spec()
		change(s)
		d := encode(t, s).Action
		if other, ok := seen[d]; ok {
			t.Errorf("changing %s gives the digest of changing %s", name, other)
		}
		seen[d] = name
	}
}
