package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// A Helper is a program that supplies headers with credentials, by the
// protocol of Bazel and EngFlow (EngFlow/credential-helper-spec):
//
//	helper get  <  {"uri": "https://HOST/SERVICE"}
//	            >  {"headers": {NAME: [VALUE, …], …}, "expires": RFC3339}
//
// Its headers are kept until they expire, or for 30 minutes where it does not
// say (as Bazel does), or until a server refuses them. A helper that fails is
// not run again for 10 seconds. What it prints appears in no error. A Helper is
// safe for concurrent use and runs once at a time.
type Helper struct {
	path string

	running chan struct{} // holds one token while the program runs; guards what follows
	headers map[string]string
	err     error
	fetched time.Time
	expires time.Time
}

const (
	helperTimeout  = 10 * time.Second
	helperKeep     = 30 * time.Minute
	helperKeepFail = 10 * time.Second
	helperEarly    = 30 * time.Second // credentials are renewed so long before they expire
)

// NewHelper returns a Helper that runs the program at path.
func NewHelper(path string) *Helper { return &Helper{path: path, running: make(chan struct{}, 1)} }

var errHelper = errors.New("credential helper gave no headers")

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (h *Helper) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if time.Now().Before(h.expires) {
		return h.headers, h.err
	}
	h.headers, h.expires, h.err = h.run(ctx, uri)
	h.fetched = time.Now()
	if h.err != nil && ctx.Err() != nil {
		h.expires = time.Time{} // says nothing about the helper
	}
	return h.headers, h.err
}

// RequireTransportSecurity implements credentials.PerRPCCredentials. Who
// configures a helper for a plaintext address means it.
func (h *Helper) RequireTransportSecurity() bool { return false }

// forget makes the next call run the program, unless it has been run since the
// call began whose credentials were refused: calls that are under way together
// are refused together.
func (h *Helper) forget(began time.Time) {
	h.running <- struct{}{}
	defer func() { <-h.running }()
	if h.err == nil && h.fetched.Before(began) {
		h.expires = time.Time{}
	}
}

func (h *Helper) run(ctx context.Context, uri []string) (map[string]string, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, helperTimeout)
	defer cancel()
	again := time.Now().Add(helperKeepFail)
	request, err := json.Marshal(map[string]string{"uri": strings.Join(uri, " ")})
	if err != nil {
		return nil, again, errHelper
	}
	cmd := exec.CommandContext(ctx, h.path, "get")
	cmd.Stdin = bytes.NewReader(request)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, again, fmt.Errorf("%w: %s: %s", errHelper, h.path, endOf(err))
	}
	headers, expires, err := parseHelper(out)
	if err != nil {
		return nil, again, fmt.Errorf("%w: %s: %w", errHelper, h.path, err)
	}
	return headers, expires, nil
}

// endOf describes err without what the program printed.
func endOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ProcessState.String()
	}
	return err.Error()
}

var errHelperAnswer = errors.New("answer is not of the credential helper protocol")

// parseHelper reads a helper's answer. The errors of encoding/json quote what
// they read, so they are not passed on.
func parseHelper(out []byte) (headers map[string]string, expires time.Time, err error) {
	var answer struct {
		Headers map[string][]string `json:"headers"`
		Expires string              `json:"expires"`
	}
	if json.Unmarshal(out, &answer) != nil {
		return nil, time.Time{}, errHelperAnswer
	}
	expires = time.Now().Add(helperKeep)
	if answer.Expires != "" {
		at, err := time.Parse(time.RFC3339, answer.Expires)
		if err != nil {
			return nil, time.Time{}, errHelperAnswer
		}
		expires = at.Add(-helperEarly)
	}
	headers = make(map[string]string, len(answer.Headers))
	for name, values := range answer.Headers {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return headers, expires, nil
}
