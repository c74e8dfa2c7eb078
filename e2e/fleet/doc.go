// Package fleet measures many processes on one Redis.
package fleet
