package bytestream

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func TestRoundTrip(t *testing.T) {
	for _, m := range []struct{ in, out message }{
		{&ReadRequest{ResourceName: "a/blobs/x/1", Offset: 7}, &ReadRequest{}},
		{&ReadResponse{Data: []byte("data")}, &ReadResponse{}},
		{&WriteRequest{ResourceName: "n", Offset: 1 << 40, Finish: true, Data: []byte{0, 1}}, &WriteRequest{}},
		{&WriteRequest{}, &WriteRequest{}},
		{&WriteResponse{CommittedSize: -1}, &WriteResponse{}},
	} {
		data, err := Codec().Marshal(m.in)
		if err != nil {
			t.Fatal(err)
		}
		if err := Codec().Unmarshal(data, m.out); err != nil {
			t.Errorf("%+v: %v", m.in, err)
		}
		if diff := cmp.Diff(m.in, m.out); diff != "" {
			t.Error(diff)
		}
	}
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	data := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), 9)
	data = append(data, (&ReadResponse{Data: []byte("x")}).encode()...)
	var m ReadResponse
	if err := m.decode(data); err != nil || string(m.Data) != "x" {
		t.Errorf("decode = %v, %q", err, m.Data)
	}
}

func TestOtherMessagesAreProtobufs(t *testing.T) {
	in, out := durationpb.New(42), new(durationpb.Duration)
	data, err := Codec().Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := Codec().Unmarshal(data, out); err != nil || out.AsDuration() != in.AsDuration() {
		t.Errorf("%v, %v, want %v", out, err, in)
	}
}

// A buffer is used again with whatever it holds.
func TestBuffersAreUsedAgain(t *testing.T) {
	c := Codec()
	for _, text := range []string{strings.Repeat("long ", 2000), "short", "", strings.Repeat("longer ", 100_000), "short again"} {
		data, err := c.Marshal(wrapperspb.String(text))
		if err != nil {
			t.Fatal(err)
		}
		wire := append(mem.BufferSlice{mem.SliceBuffer(nil)}, data...) // in parts, as it arrives
		got := new(wrapperspb.StringValue)
		if err := c.Unmarshal(wire, got); err != nil || got.Value != text {
			t.Errorf("%d bytes came back, %v, want %d", len(got.Value), err, len(text))
		}
		data.Free()
	}
}

func TestWhatIsNoMessage(t *testing.T) {
	if data, err := Codec().Marshal("x"); !errors.Is(err, errMalformed) {
		t.Errorf("Marshal = %v, %v", data, err)
	}
	if err := Codec().Unmarshal(nil, new(string)); !errors.Is(err, errMalformed) {
		t.Errorf("Unmarshal: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add((&WriteRequest{ResourceName: "n", Offset: 3, Finish: true, Data: []byte("d")}).encode())
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		var m, again WriteRequest
		if m.decode(data) != nil {
			return
		}
		if err := again.decode(m.encode()); err != nil {
			t.Fatal(err)
		}
		if len(m.Data) == 0 {
			m.Data, again.Data = nil, nil
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Error(diff)
		}
	})
}
