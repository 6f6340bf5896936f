#pragma once

#include "engine/operations/environment/environment.h"

#include <QDialog>
#include <QNetworkAccessManager>
#include <memory>

class QCheckBox;
class QLineEdit;
class QListWidget;
class QPlainTextEdit;

namespace sluice::ops {
class RedisClient;
class TrafficRouter;
} // namespace sluice::ops

namespace sluice::ui {

class Button;
class Console;
class StatusLabel;

/// The environments that a person has set up, and the addresses of the one in hand, each tested on
/// request, saved when accepted. Password and token go to the keychain, never into the settings
/// file; a keychain that fails is said, and they are kept for this run.
class ConnectDialog : public QDialog
{
    Q_OBJECT

public:
    explicit ConnectDialog(Console* console, QWidget* parent = nullptr);

    ops::Environment environment() const;
    /// Puts one into the form, with its secrets left where they are.
    void edit(const sluice::ops::Environment& environment);
    void test();
    QListWidget* list() const { return m_list; }

Q_SIGNALS:
    /// Saved: connect to it.
    void chosen(const sluice::ops::Environment& environment);

private:
    QWidget* makeList();
    QWidget* makeForm();
    void fillList(const QString& chosen);
    void startNew();
    void askRemove();
    void save();
    void keepSecret(const QString& name, const QString& secret);
    void openProbe(const ops::Environment& environment, const QString& password);
    void ask(QUrl url, const QString& path, StatusLabel* label, const QString& good);
    void testBalancer(const ops::Environment& environment);
    void testRedis(const ops::Environment& environment);
    void testWorkers(const ops::Environment& environment);

    Console* m_console;
    QNetworkAccessManager m_network;
    ops::RedisClient* m_probe = nullptr;
    std::shared_ptr<ops::TrafficRouter> m_router; ///< while the HAProxy socket is tested
    QListWidget* m_list;
    Button* m_remove;
    QLineEdit* m_name;
    QCheckBox* m_production;
    QCheckBox* m_readOnly;
    QCheckBox* m_loadTarget;
    QLineEdit* m_prometheus;
    QLineEdit* m_redis;
    QLineEdit* m_user;
    QLineEdit* m_password;
    QLineEdit* m_token;
    QLineEdit* m_balancer;
    QLineEdit* m_socket;
    QPlainTextEdit* m_workers;
    StatusLabel* m_prometheusState;
    StatusLabel* m_redisState;
    StatusLabel* m_balancerState;
    StatusLabel* m_socketState;
    StatusLabel* m_workersState;
    StatusLabel* m_error;
    Button* m_save;
};

} // namespace sluice::ui
