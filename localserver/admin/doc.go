// Package admin is the management protocol: what the verbs of rexd ask of the
// local server and what it answers, over the frames wire.Admin and
// wire.AdminReply.
//
//	Admin.Body      = JSON of the verb's request, or empty ;
//	AdminReply.Body = JSON of the verb's reply, or of a Progress or of one
//	                  element of a stream where AdminReply.More is set ;
//	AdminReply.Error = "" | code ": " text ;
//	code             = "not-found" | "usage" | "failed" ;
//
// The server side is a Handler, made by NewHandler from a Service; the verbs'
// side is a Client. Neither knows how a socket is found: the caller passes the
// connection, or a function that dials one. How replies look on a terminal is
// the business of cmd/rexd.
package admin
