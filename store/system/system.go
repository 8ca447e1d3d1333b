// Package system asks the operating system what package os does not tell: of
// processes, of files and of disks. What a system cannot say is unknown.
package system
