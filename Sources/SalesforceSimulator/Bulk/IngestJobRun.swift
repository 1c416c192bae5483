import Foundation

/// Runs a Bulk 2.0 ingest job: cuts the upload, lets workers save the pieces, and makes the three results (wire reference 4.2).
struct IngestJobRun: Sendable {
    let org: Org
    let id: String

    /// What a worker needs of the job.
    fileprivate struct Plan: Sendable {
        var job: BulkJob
        var upload: IngestUpload
        var columns: IngestColumns
        var separator: UInt8
        var lineEnd: String
        var lineEnding: CSVReader.LineEnding
        var seed: UInt64
    }

    private struct Piece: Sendable {
        var successful: String
        var failed: String
        /// Where the rows begin that nobody reached; the end of the span when all were.
        var rest: Int64
        var span: IngestUpload.Span
    }

    func run() async {
        do {
            let (queue, delay) = try await org.perform { state, _ in (state.settings.bulk.queueMilliseconds, state.settings.bulkDelayMilliseconds) }
            if queue > 0 { try await Task.sleep(for: .milliseconds(queue)) }
            try await org.perform { state, _ in state.move(id, to: .inProgress, from: [.uploadComplete]) }
            if delay > 0 { try await Task.sleep(for: .milliseconds(delay)) }
            try await work()
        } catch is CancellationError {
        } catch {
            await fail(BulkFailure(error))
        }
    }

    private func work() async throws {
        let begun = ContinuousClock.now
        guard let (job, settings) = try await org.perform({ state, _ in state.jobs[id].map { ($0, state.settings.bulk) } }),
            let path = job.upload, job.state == .inProgress || job.state == .aborted
        else { return }
        let separator = job.separator.utf8.first ?? UInt8(ascii: ",")
        let lineEnding: CSVReader.LineEnding = job.lineEnding == "CRLF" ? .crlf : .lf
        var plan: Plan?
        do {
            let upload = try IngestUpload(path: path, separator: separator, lineEnding: lineEnding, batchRecords: settings.batchRecords)
            let columns = try await org.perform { state, _ in
                guard let object = state.object(job.object, for: job.user) else { throw BulkFailure("InvalidEntity", "Unable to find object: \(job.object)") }
                return try IngestColumns(upload.names, of: object, job.operation, state, user: job.user)
            }
            plan = Plan(
                job: job, upload: upload, columns: columns, separator: separator, lineEnd: lineEnding == .crlf ? "\r\n" : "\n",
                lineEnding: lineEnding, seed: settings.seed)
        } catch let failure as BulkFailure {
            await fail(failure)
        }
        var pieces: [Piece] = []
        if let plan { pieces = try await save(plan, workers: settings.workers) }
        let files = try await collect(job, path: path, header: plan?.upload.header, pieces: pieces, seed: settings.seed)
        let elapsed = begun.duration(to: .now)
        let milliseconds = Int(elapsed.components.seconds * 1_000 + elapsed.components.attoseconds / 1_000_000_000_000_000)
        try await org.perform { state, _ in
            guard var job = state.jobs[id] else { return files.all.forEach { try? FileManager.default.removeItem(atPath: $0) } }
            job.outcome = files
            job.tally.milliseconds = milliseconds
            state.jobs[id] = job
            state.move(id, to: job.errorMessage == nil ? .complete : .failed, from: [.inProgress])
        }
    }

    /// The reason a job stopped. Its state changes when the results are made.
    private func fail(_ failure: BulkFailure) async {
        try? await org.perform { state, _ in
            guard var job = state.jobs[id], job.errorMessage == nil else { return }
            job.errorMessage = failure.text
            state.jobs[id] = job
            if failure.code == "InternalServerError" { state.move(id, to: .failed, from: [.uploadComplete, .inProgress]) }
        }
    }

    // MARK: Workers

    private func save(_ plan: Plan, workers: Int) async throws -> [Piece] {
        try await withThrowingTaskGroup(of: Piece.self) { group in
            var waiting = plan.upload.spans.makeIterator()
            for _ in 0..<workers {
                guard let span = waiting.next() else { break }
                group.addTask { try await save(span, plan) }
            }
            var pieces: [Piece] = []
            while let piece = try await group.next() {
                pieces.append(piece)
                if let span = waiting.next() { group.addTask { try await save(span, plan) } }
            }
            return pieces
        }
    }

    private func save(_ span: IngestUpload.Span, _ plan: Plan) async throws -> Piece {
        let name = "\(id)-\(span.first)"
        let (successful, failed) = try await org.perform { state, _ in
            (try state.jobs.file(name + "-successful").path, try state.jobs.file(name + "-failed").path)
        }
        var piece = Piece(successful: successful, failed: failed, rest: span.start, span: span)
        var saved: [[UInt8]] = []
        var refused: [[UInt8]] = []
        do {
            try await org.perform { state, _ in try state.jobs.countBatch(limit: state.settings.dailyBulkBatches, now: state.now) }
            var reader = try CSVReader(path: plan.upload.path, offset: span.start, lineEnding: plan.lineEnding)
            defer { reader.close() }
            let worker = IngestWorker(org: org)
            var first = span.first
            while piece.rest < span.end {
                var rows: [CSVReader.Record] = []
                var stop: BulkFailure?
                var records: [RecordInput] = []
                while rows.count < IngestChunk.size, (rows.last?.end ?? piece.rest) < span.end, let row = try reader.next() {
                    do {
                        records.append(plan.columns.record(try plan.columns.values(of: row.bytes, number: first + rows.count, plan.separator, plan.job)))
                        rows.append(row)
                    } catch let failure as BulkFailure {
                        stop = failure
                        break
                    }
                }
                if !rows.isEmpty {
                    let chunk = IngestChunk(job: plan.job, batch: nil, first: first, records: records, rejections: plan.job.rejections)
                    guard let outcomes = try await worker.save(chunk) else { break }
                    for (row, outcome) in zip(rows, outcomes) {
                        if outcome.error == nil { saved.append(plan.line(row, outcome)) } else { refused.append(plan.line(row, outcome)) }
                    }
                    first += rows.count
                    piece.rest = rows.last?.end ?? piece.rest
                }
                if let stop { throw stop }
                if rows.isEmpty { break }
            }
        } catch let failure as BulkFailure {
            await fail(failure)
        }
        var generator = SeededGenerator(seed: plan.seed &+ UInt64(span.first))
        saved.shuffle(using: &generator)
        refused.shuffle(using: &generator)
        try IngestResultFile.write(saved, to: piece.successful)
        try IngestResultFile.write(refused, to: piece.failed)
        return piece
    }

    // MARK: Results

    private func collect(_ job: BulkJob, path: String, header: [UInt8]?, pieces: [Piece], seed: UInt64) async throws -> IngestFiles {
        let files = try await org.perform { state, _ in
            IngestFiles(
                successful: try state.jobs.file(id + "-successful.csv").path, failed: try state.jobs.file(id + "-failed.csv").path,
                unprocessed: try state.jobs.file(id + "-unprocessed.csv").path)
        }
        var generator = SeededGenerator(seed: seed)
        let order = pieces.sorted { $0.span.first < $1.span.first }.shuffled(using: &generator)
        let end = job.lineEnding == "CRLF" ? "\r\n" : "\n"
        let mine = (header ?? []) + Array(end.utf8)
        func system(_ names: String...) -> [UInt8] { Array(names.map { "\"\($0)\"" + job.separator }.joined().utf8) + mine }
        try IngestResultFile.join(order.map(\.successful), header: system("sf__Id", "sf__Created"), to: files.successful)
        try IngestResultFile.join(order.map(\.failed), header: system("sf__Id", "sf__Error"), to: files.failed)
        if header == nil {
            // Nothing of the upload was understood: all of it goes back as it came.
            try IngestResultFile.join([], header: [], to: files.unprocessed)
            try IngestResultFile.copy(path, from: 0, to: nil, into: files.unprocessed)
        } else {
            try IngestResultFile.join([], header: mine, to: files.unprocessed)
            for piece in pieces.sorted(by: { $0.span.first < $1.span.first }) where piece.rest < piece.span.end {
                try IngestResultFile.copy(path, from: piece.rest, to: piece.span.end, into: files.unprocessed)
            }
        }
        return files
    }
}

extension IngestColumns {
    /// The values of a row.
    ///
    /// - Parameter number: The row's place, from 0.
    /// - Throws: ``BulkFailure`` when it cannot be cut into as many values as the header has names, or is too large.
    func values(of row: [UInt8], number: Int, _ separator: UInt8, _ job: BulkJob) throws -> [String] {
        let values = try CSVReader.values(row, separator: separator)
        guard values.count == count else {
            throw BulkFailure.invalidBatch("Row \(number + 1) has \(values.count) values where the header names \(count) columns")
        }
        guard row.count <= 400_000 || String(decoding: row, as: UTF8.self).unicodeScalars.count <= 400_000 else {
            throw BulkFailure.invalidBatch("Row \(number + 1) is longer than 400,000 characters")
        }
        if let long = values.firstIndex(where: { $0.utf8.count > fieldCharacters && $0.unicodeScalars.count > fieldCharacters }) {
            throw BulkFailure.invalidBatch("Column \(long + 1) of row \(number + 1) is longer than \(fieldCharacters) characters")
        }
        return values
    }
}

extension IngestJobRun.Plan {
    /// A row of a result: the system columns, then the row as it was sent.
    func line(_ row: CSVReader.Record, _ outcome: WriteOutcome) -> [UInt8] {
        let word = outcome.error.map(\.bulkText) ?? (outcome.created ? "true" : "false")
        let system = [outcome.id ?? "", word].map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" + job.separator }.joined()
        return Array(system.utf8) + row.bytes + Array(lineEnd.utf8)
    }
}

extension RecordError {
    /// `CODE:message:Field Field --`, the form of both Bulk APIs.
    var bulkText: String { "\(code):\(message):" + fields.map { $0 + " " }.joined() + "--" }
}

extension OrgState {
    /// Moves a job on, if it is still where it was.
    func move(_ id: String, to state: BulkJob.State, from states: [BulkJob.State]) {
        guard var job = jobs[id], states.contains(job.state) else { return }
        job.state = state
        job.changed = stamp
        jobs[id] = job
    }
}
