internal import Foundation

/// A shell in a session of its own that waits for the end of this process, then stops the cluster and removes its folder.
/// Nothing inside this process could do so when it is killed.
enum Watchdog {
    static func guardFolder(_ folder: String, tools: PostgresTools) throws {
        let script = """
            while kill -0 "$1" 2>/dev/null && [ -d "$2" ]; do sleep 0.5; done
            [ -d "$2" ] || exit 0
            "$3" -D "$2/data" -m immediate -s stop
            rm -rf "$2"
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        // Only the stop runs as the server's user: that one may not signal this process, and would take it for dead.
        process.arguments =
            ["setsid", "sh", "-c", script.replacing("\"$3\"", with: (tools.prefix + ["\"$3\""]).joined(separator: " ")), "watchdog"]
            + ["\(ProcessInfo.processInfo.processIdentifier)", folder, tools.path("pg_ctl")]
        // An inherited pipe would keep whoever reads this process's output waiting.
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }
}
