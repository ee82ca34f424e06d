package wrapper

// kcmp is the number of kcmp(2), which package syscall lacks.
const kcmp = 312
