// Package remotescripts holds scripts that a user of remote execution could type,
// against client/clienttest's server. Each is a fault that was reproduced with
// recc or reclient, or one that its users report: it says what happens there and
// shows that it does not happen here. The numbers are those of the list in
// testdata/faults.txt.
package remotescripts
