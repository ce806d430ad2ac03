# Envoyer un battement de cœur toutes les 60 secondes
while true; do
curl -X POST "https://tianji.example.com/api/push/<your-push-token>"
sleep 60
done
