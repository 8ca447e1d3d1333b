// Package wave holds the types of the domain: what Wave records (the rows) and
// what is derived from it (Run, Step, Attempt and the states).
//
// It imports nothing of the project, and knows neither SQL nor HTTP. Zero times, nil
// pointers and empty texts are unknown.
package wave
