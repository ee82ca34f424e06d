//go:build unix

package client_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/clienttest"
)

func TestRefusedCredentialsAreRenewed(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{TLS: true, Authorization: "Bearer one"})
	token, helper := filepath.Join(t.TempDir(), "token"), filepath.Join(t.TempDir(), "helper")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(token, "one")
	write(helper, "#!/bin/sh\ncat >/dev/null\necho '{\"headers\":{\"authorization\":[\"Bearer '$(cat "+token+")'\"]}}'\n")
	conn := s.Dial(t, client.Options{Helper: client.NewHelper(helper)})
	if err := missing(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	s.SetAuthorization("Bearer two")
	write(token, "two")
	if err := missing(t.Context(), conn); err != nil {
		t.Errorf("the helper was not asked again: %v", err)
	}
	s.SetAuthorization("Bearer three")
	if err := missing(t.Context(), conn); !errors.Is(err, client.ErrUnauthenticated) {
		t.Errorf("error %v", err)
	}
}
