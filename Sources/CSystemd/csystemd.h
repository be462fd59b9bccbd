// libsystemd as Swift can import it: sd_notify(3), sd_listen_fds(3), sd_journal_send(3), sd-bus(3).

#pragma once

// Callers are Swift: where they are in C is nowhere.
#define SD_JOURNAL_SUPPRESS_LOCATION

#include <stdlib.h>
#include <sys/uio.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
