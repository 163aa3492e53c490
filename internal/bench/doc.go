//go:build linux

// Command bench measures a whole memberradius beside what it can be compared
// with, on the same core in the same run: a UDP echo (the floor that system
// calls set), FreeRADIUS with the smallest site that does the same job, and a
// bare HTTP client where a member system must be asked. It prints ratios with
// their targets and writes them, with the machine and the commands, to a page.
//
// Every server and every load is a process of its own, pinned to its core:
// servers on the first one that this process may use, loads and member systems
// on the second. All are started, and ended, here; files live in a temporary
// directory that goes at the end. What needs neither, lists of very many sessions
// and Disconnects, is measured by this process itself.
//
// It does not own the load of logins (radiusd/radiustest does), only that of
// reports, and is part of no release.
// It needs Linux.
package main
