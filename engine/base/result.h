#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace sluice {

/// What went wrong, in the terms of what the caller can do about it. The command line's exit codes
/// follow from it (see exitCode()).
enum class ErrorKind
{
    Input, ///< bad usage or bad data: mend the input (exit 2)
    Unreachable, ///< a server did not answer in time or refused the connection (exit 3)
    Refused, ///< a server or a rule said no: access control, a stale version, a hash mismatch (exit
             ///< 1)
    Cancelled, ///< somebody asked to stop (exit 1)
    Internal, ///< disk full, out of memory, a bug (exit 2)
};

/// An error as a value: `message` says what was wrong, where, and what to do, in one or two
/// sentences for a person; `cause` is the underlying system's own text, empty where there is none.
struct Error
{
    ErrorKind kind = ErrorKind::Internal;
    std::string message;
    std::string cause;

    /// Message and cause in one line.
    std::string text() const { return cause.empty() ? message : message + " (" + cause + ")"; }
};

inline Error inputError(std::string message, std::string cause = {})
{
    return {ErrorKind::Input, std::move(message), std::move(cause)};
}

inline Error unreachableError(std::string message, std::string cause = {})
{
    return {ErrorKind::Unreachable, std::move(message), std::move(cause)};
}

inline Error refusedError(std::string message, std::string cause = {})
{
    return {ErrorKind::Refused, std::move(message), std::move(cause)};
}

inline Error cancelledError(std::string message)
{
    return {ErrorKind::Cancelled, std::move(message), {}};
}

inline Error internalError(std::string message, std::string cause = {})
{
    return {ErrorKind::Internal, std::move(message), std::move(cause)};
}

/// The process exit code of an error: 1 the answer is no, 2 bad usage or input, 3 unreachable.
constexpr int exitCode(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::Refused:
    case ErrorKind::Cancelled:
        return 1;
    case ErrorKind::Unreachable:
        return 3;
    case ErrorKind::Input:
    case ErrorKind::Internal:
        break;
    }
    return 2;
}

/// A value or an error (g++ 12 has no std::expected). Errors are passed on with
/// `if (!r) { return r.error(); }`.
template <typename T> class [[nodiscard]] Result
{
public:
    Result(T value)
        : m_state(std::in_place_index<0>, std::move(value))
    { }
    Result(Error error)
        : m_state(std::in_place_index<1>, std::move(error))
    { }

    bool ok() const { return m_state.index() == 0; }
    explicit operator bool() const { return ok(); }

    /// The value; undefined when there is none (check ok() first).
    T& value() & { return *std::get_if<0>(&m_state); }
    const T& value() const& { return *std::get_if<0>(&m_state); }
    T&& value() && { return std::move(*std::get_if<0>(&m_state)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    /// The error; undefined when there is a value.
    const Error& error() const { return *std::get_if<1>(&m_state); }

private:
    std::variant<T, Error> m_state;
};

template <> class [[nodiscard]] Result<void>
{
public:
    Result() = default;
    Result(Error error)
        : m_error(std::move(error))
    { }

    bool ok() const { return !m_error.has_value(); }
    explicit operator bool() const { return ok(); }
    const Error& error() const { return *m_error; }

private:
    std::optional<Error> m_error;
};

} // namespace sluice
