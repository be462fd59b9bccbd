// libseccomp as Swift can import it: seccomp_init(3).

#pragma once

#include <seccomp.h>

/// What is done with a system call that is not allowed: it fails with this errno(3).
static inline uint32_t cseccomp_refuse(uint16_t error) { return SCMP_ACT_ERRNO(error); }
