package bytestream

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"
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
