internal import Foundation

/// The fence of one connection, as this relay keeps it outside the database: a file of its state folder.
///
/// A new value is written here before it goes into the database and alone afterwards, so that whichever of the two a crash leaves
/// in the database is known here. Relays that share the folder write only while they lead; the lock is against one that leads no
/// more and does not know it yet.
public struct FenceKeeper: Sendable {
    struct Kept: Codable, Equatable {
        /// Names this folder to the database, which holds a fence for each.
        var keeper: String
        /// What the database may hold, the newest last; none before this relay first led.
        var values: [String]
        /// The database's time of the last value.
        var at: String?
    }

    private let file: String

    /// - Returns: nil where nothing can be kept: without a folder, or without the right to write there.
    public init?(directory: String?, connection: String) {
        guard let directory else { return nil }
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isFolder), isFolder.boolValue,
            FileManager.default.isWritableFile(atPath: directory)
        else { return nil }
        file = "\(directory)/\(connection).json"
    }

    /// - Throws: ``RelayError`` for a file that cannot be read: without it, an older state of the database would pass.
    func read() throws -> Kept {
        try locked { try stored() ?? begin() }
    }

    /// Keeps a value that the database may hold from now on.
    func propose(_ value: String) throws {
        try locked {
            var kept = try stored() ?? begin()
            kept.values.append(value)
            try store(kept)
        }
    }

    /// The database holds `value`; what was before it is over.
    func settle(_ value: String, at: String?) throws {
        try locked {
            guard var kept = try stored(), kept.values.contains(value) else { return }
            kept.values = [value]
            kept.at = at
            try store(kept)
        }
    }

    private func begin() throws -> Kept {
        let kept = Kept(keeper: UUID().uuidString.lowercased(), values: [], at: nil)
        try store(kept)
        return kept
    }

    private func stored() throws -> Kept? {
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        guard let data = FileManager.default.contents(atPath: file), let kept = try? JSONDecoder().decode(Kept.self, from: data) else {
            throw RelayError(
                .stateUnreadable, "cannot read \(file), which proves that the database is no older state of itself: put it back, or delete it if you know that")
        }
        return kept
    }

    /// As a whole, and on the disk when it returns.
    private func store(_ kept: Kept) throws {
        let new = file + ".new"
        guard FileManager.default.createFile(atPath: new, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: new)
        else { throw CocoaError(.fileWriteUnknown) }
        try handle.write(contentsOf: try JSONEncoder().encode(kept))
        try handle.synchronize()
        try handle.close()
        guard rename(new, file) == 0 else { throw CocoaError(.fileWriteUnknown) }
        let folder = open((file as NSString).deletingLastPathComponent, O_RDONLY)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private func locked<R>(_ work: () throws -> R) throws -> R {
        let lock = open(file + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw CocoaError(.fileWriteUnknown) }
        defer { close(lock) }
        guard lockf(lock, F_LOCK, 0) == 0 else { throw CocoaError(.fileLocking) }
        return try work()
    }
}
