// Package client is the connection to an REv2 server: addresses, transport
// security, credentials, and what every call over it gets, whoever makes it: a
// deadline, retries with a budget, a slower pace where the server asks for it,
// a circuit breaker, RequestMetadata, and errors that say what to do about
// them. It knows nothing of blobs, results and actions: see client/cas,
// client/actioncache and client/execute, which call through a Conn.
//
// A remote may live at up to three addresses (CAS, ActionCache, Execution);
// each has a Conn of its own and says what it offers by Conn.Capabilities.
// What a server says is a hint. What is known of real servers' hints, errors
// and limits is coded where it matters, with the fact beside it.
//
// gRPC's codes stop here. Errors of a Conn are of type *Error and match the
// sentinels of this package by errors.Is. No error, notice or log of this
// package holds the value of a header or of a credential.
package client
