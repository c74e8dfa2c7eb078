package redisstore

// Publish is the script that Revocations.Revoke runs.
var Publish = publish
