// Package control makes the few changes to a state database that an operator asks
// for: it records runs before their process starts, asks them to stop, and gives an
// end to those whose process went without a word.
package control
