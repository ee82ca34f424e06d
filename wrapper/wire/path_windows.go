package wire

const pathHasBackslash = true
