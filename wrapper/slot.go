package wrapper

// slotVariable tells the wrappers below a compiler (of lto-wrapper's compilers,
// of a script's) that it runs in a slot, which is theirs as well: if they waited
// for another one, all slots could belong to compilers that wait for them.
const slotVariable = "REXWRAP_SLOT"

// inSlot is the setting for a process that runs in a slot.
const inSlot = slotVariable + "=1"
