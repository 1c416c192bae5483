internal import Foundation

/// A shell in a session of its own that waits for the end of this process, then stops the cluster and removes its folder.
/// Nothing inside this process could do so when it is killed.
enum Watchdog {
    static func guardFolder(_ folder: String, tools: PostgresTools) throws {
        let script = """
            alive() { kill -0 "$1" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"; }
            while alive "$1" && [ -d "$2" ]; do sleep 0.5; done
            [ -d "$2" ] || exit 0
            "$3" -D "$2/data" -m immediate -s stop
            rm -rf "$2"
            """
        // Only the stop runs as the server's user: that one may not signal this process, and would take it for dead.
        let stop = (tools.prefix + ["\"$3\""]).joined(separator: " ")
        _ = try ChildProcess(
            "setsid",
            ["sh", "-c", script.replacing("\"$3\"", with: stop), "watchdog"]
                + ["\(ProcessInfo.processInfo.processIdentifier)", folder, tools.path("pg_ctl")])
    }
}
