#pragma once

#include "engine/operations/environment/environment.h"

#include <QDialog>
#include <QNetworkAccessManager>

class QCheckBox;
class QLineEdit;
class QPlainTextEdit;

namespace sluice::ops {
class RedisClient;
}

namespace sluice::ui {

class Button;
class Console;
class StatusLabel;

/// The addresses of an environment, each tested on request, saved when accepted. The password goes
/// to the keychain, never into the settings file.
class ConnectDialog : public QDialog
{
    Q_OBJECT

public:
    explicit ConnectDialog(Console* console, QWidget* parent = nullptr);

    ops::Environment environment() const;
    void test();

Q_SIGNALS:
    /// Saved: connect to it.
    void chosen(const sluice::ops::Environment& environment);

private:
    void save();
    void testPrometheus(const ops::Environment& environment);
    void testRedis(const ops::Environment& environment);
    void testWorkers(const ops::Environment& environment);

    Console* m_console;
    QNetworkAccessManager m_network;
    ops::RedisClient* m_probe = nullptr;
    QLineEdit* m_name;
    QCheckBox* m_production;
    QCheckBox* m_readOnly;
    QLineEdit* m_prometheus;
    QLineEdit* m_redis;
    QLineEdit* m_user;
    QLineEdit* m_password;
    QLineEdit* m_balancer;
    QLineEdit* m_socket;
    QPlainTextEdit* m_workers;
    StatusLabel* m_prometheusState;
    StatusLabel* m_redisState;
    StatusLabel* m_workersState;
    StatusLabel* m_error;
    Button* m_save;
};

} // namespace sluice::ui
