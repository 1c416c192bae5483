#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Parameters laid out as libpq takes them: NUL-terminated texts behind one another, NULL as no text.
struct ParameterBuffer {
    private var text: [UInt8] = []
    private var offsets: [Int?] = []

    /// - Throws: `invalidParameter` for a value with a NUL byte, which libpq would cut there without a word.
    init(_ parameters: [PostgresParameter]) throws(PostgresError) {
        for (index, parameter) in parameters.enumerated() {
            let added = switch parameter {
            case .null, .text(nil): true
            case .text(let value?): append(value.utf8)
            case .bytes(let value): append(value)
            }
            guard added else {
                throw PostgresError(code: .invalidParameter, serverMessage: "$\(index + 1) contains a NUL byte")
            }
            if case .null = parameter { offsets.append(nil) }
            if case .text(nil) = parameter { offsets.append(nil) }
        }
    }

    /// A parameter may be a page of megabytes, so it is searched and copied as a block where its memory is one.
    private mutating func append(_ bytes: some Collection<UInt8>) -> Bool {
        guard !containsNUL(bytes) else { return false }
        offsets.append(text.count)
        text.append(contentsOf: bytes)
        text.append(0)
        return true
    }

    private func containsNUL(_ bytes: some Collection<UInt8>) -> Bool {
        let found = bytes.withContiguousStorageIfAvailable { block in
            block.baseAddress.map { memchr($0, 0, block.count) != nil } ?? false
        }
        return found ?? bytes.contains(0)
    }

    /// Calls `body` with an array of pointers that is valid during the call only.
    func withPointers<R>(_ body: (_ count: Int32, _ values: [UnsafePointer<CChar>?]) -> R) -> R {
        text.withUnsafeBytes { bytes in
            let text = bytes.assumingMemoryBound(to: CChar.self)
            return body(Int32(offsets.count), offsets.map { offset in offset.flatMap { text.baseAddress?.advanced(by: $0) } })
        }
    }
}
