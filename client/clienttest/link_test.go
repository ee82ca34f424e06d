package clienttest

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Link{RoundTrip: 100 * time.Millisecond}
		l.open()
		defer l.Close()
		accepted := make(chan net.Conn, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
			}
			accepted <- c
		}()
		start := time.Now()
		near, err := l.Dial(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		far := <-accepted
		for _, text := range []string{"a", "b"} { // both are under way at once
			if _, err := near.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, 2)
		if _, err := io.ReadFull(far, got); err != nil || string(got) != "ab" {
			t.Errorf("%q, %v", got, err)
		}
		if took := time.Since(start); took != 150*time.Millisecond {
			t.Errorf("it took %s, want a round trip to connect and half of one to send", took)
		}
		_ = near.Close()
		if _, err := far.Read(got); err != io.EOF {
			t.Errorf("a read of a broken connection: %v", err)
		}
		if _, err := far.Write(got); err == nil {
			t.Error("a broken connection takes bytes")
		}
	})
}
