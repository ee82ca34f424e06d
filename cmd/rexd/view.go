package main

import (
	"os"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// currentView is the view of the files that this process has.
func currentView() endpoint.View {
	dir, _ := os.Getwd() // relative places then start from the root
	return endpoint.View{UID: os.Geteuid(), GID: os.Getegid(), Namespace: endpoint.Namespace(), Dir: dir}
}
