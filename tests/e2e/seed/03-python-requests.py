import requests
import time

def send_heartbeat():
    try:
        response = requests.post('https://tianji.example.com/api/push/<your-push-token>')
        print('Battement de cœur envoyé avec succès')
    except Exception as e:
        print(f'Échec de l’envoi du battement de cœur : {e}')

# Envoyer un battement de cœur toutes les 60 secondes
while True:
    send_heartbeat()
    time.sleep(60)
