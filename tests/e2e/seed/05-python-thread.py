import requests
import time
import threading

class ServiceMonitor:
    def __init__(self, push_url):
        self.push_url = push_url
        self.running = True

    def start_heartbeat(self):
        def heartbeat_loop():
            while self.running:
                try:
                    requests.post(self.push_url)
                    time.sleep(30) # Envoyer toutes les 30 secondes
                except Exception as e:
                    print(f"Échec du battement de cœur : {e}")

        thread = threading.Thread(target=heartbeat_loop)
        thread.daemon = True
        thread.start()

# Utilisation
monitor = ServiceMonitor('https://tianji.example.com/api/push/<your-push-token>')
monitor.start_heartbeat()

# Votre logique principale de service ici
while True:
    # Faites votre travail
    time.sleep(1)
