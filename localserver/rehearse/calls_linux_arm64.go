package rehearse

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

func lookups() []lookup { return common() }
