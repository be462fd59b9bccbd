// SwiftPM wants one source file of a C target; everything is in the header.

#include "clinux.h"
